-- Buckets that were opened to everyone.
--
-- Public access blocks lifted, policies for the principal `*`, and public ACLs, with who did it.
--
-- category: management

SELECT
    eventTime,
    element_at(requestParameters, 'bucketName') AS bucketName,
    eventName,
    userIdentity.principalId,
    sourceIPAddress
FROM
    my-event-data-store
WHERE
    eventSource = 's3.amazonaws.com'
    AND errorCode IS NULL
    AND (
        eventName = 'DeleteBucketPublicAccessBlock'
        OR (
            eventName = 'PutBucketPublicAccessBlock'
            AND element_at(requestParameters, 'PublicAccessBlockConfiguration') LIKE '%false%'
        )
        OR (
            eventName = 'PutBucketPolicy'
            AND element_at(requestParameters, 'bucketPolicy') LIKE '%"Principal":"*"%'
        )
        OR (
            eventName = 'PutBucketAcl'
            AND element_at(requestParameters, 'x-amz-acl') LIKE 'public-%'
        )
    )
ORDER BY
    eventTime
