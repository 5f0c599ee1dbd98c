-- Everything that was done with one access key.
--
-- The first question when a key has leaked: which calls it made, where, from which address, and
-- which of them were refused. Put the key in question in the first condition.
--
-- category: all

SELECT
    eventTime,
    eventSource,
    eventName,
    awsRegion,
    sourceIPAddress,
    errorCode
FROM
    my-event-data-store
WHERE
    userIdentity.accessKeyId = 'AKIAKFDEPLOY7EXAMPLE'
    AND eventTime >= '2024-11-14 00:00:00'
    AND eventTime < '2024-11-15 00:00:00'
ORDER BY
    eventTime,
    eventName
