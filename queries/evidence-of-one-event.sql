-- One event, whole, with its checksum.
--
-- For a report: the exact text of the event, and the SHA-256 of it, so that others can check that
-- it was not altered.
--
-- category: all

SELECT
    eventID,
    eventTime,
    eventJsonChecksum,
    eventJson
FROM
    my-event-data-store
WHERE
    eventName = 'StopLogging'
    AND errorCode IS NULL
ORDER BY
    eventTime
