-- Objects that were written without a KMS key.
--
-- S3 encrypts everything, but only a key of your own can be taken away from a thief. The share of
-- uploads by how they were encrypted.
--
-- category: data

SELECT
    element_at(requestParameters, 'bucketName') AS bucketName,
    element_at(additionalEventData, 'SSEApplied') AS encryption,
    count(*) AS objects,
    round(
        100.0 * count(*) / sum(count(*)) OVER (PARTITION BY element_at(requestParameters, 'bucketName')),
        1
    ) AS percent
FROM
    my-event-data-store
WHERE
    eventName = 'PutObject'
    AND element_at(additionalEventData, 'SSEApplied') IS NOT NULL
GROUP BY
    element_at(requestParameters, 'bucketName'),
    element_at(additionalEventData, 'SSEApplied')
ORDER BY
    bucketName,
    encryption
