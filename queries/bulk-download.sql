-- Principals that downloaded much in a short time.
--
-- Objects and bytes read from each bucket, by principal and hour, where it was more than fifty
-- objects. Compare with what is usual for the principal before calling anyone.
--
-- category: data

SELECT
    date_trunc('hour', eventTime) AS hour,
    userIdentity.arn,
    element_at(requestParameters, 'bucketName') AS bucketName,
    count(*) AS objects,
    round(
        sum(CAST(element_at(additionalEventData, 'bytesTransferredOut') AS double)) / 1048576,
        1
    ) AS mebibytes,
    max_by(
        element_at(requestParameters, 'key'),
        CAST(element_at(additionalEventData, 'bytesTransferredOut') AS double)
    ) AS largestObject
FROM
    my-event-data-store
WHERE
    eventName = 'GetObject'
    AND errorCode IS NULL
GROUP BY
    date_trunc('hour', eventTime),
    userIdentity.arn,
    element_at(requestParameters, 'bucketName')
HAVING
    count(*) > 50
ORDER BY
    mebibytes DESC
