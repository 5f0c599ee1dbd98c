-- How much each bucket is used.
--
-- Objects read and written, and the bytes of both, by bucket.
--
-- category: data

SELECT
    element_at(requestParameters, 'bucketName') AS bucketName,
    count_if(eventName = 'GetObject') AS objectsRead,
    count_if(eventName = 'PutObject') AS objectsWritten,
    sum(TRY_CAST(element_at(additionalEventData, 'bytesTransferredOut') AS bigint)) AS bytesOut,
    sum(TRY_CAST(element_at(additionalEventData, 'bytesTransferredIn') AS bigint)) AS bytesIn
FROM
    my-event-data-store
WHERE
    eventSource = 's3.amazonaws.com'
    AND eventCategory = 'Data'
GROUP BY
    element_at(requestParameters, 'bucketName')
ORDER BY
    bytesOut DESC,
    bucketName
