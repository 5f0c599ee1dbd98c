-- Calls that were throttled.
--
-- Which caller ran into which limit, in steps of five minutes. A loop without a pause shows as one
-- long column.
--
-- category: all

SELECT
    from_unixtime(floor(to_unixtime(eventTime) / 300) * 300) AS fiveMinutes,
    eventSource,
    eventName,
    userIdentity.arn,
    count(*) AS throttled
FROM
    my-event-data-store
WHERE
    errorCode IN (
        'ThrottlingException', 'Throttling', 'SlowDown', 'Client.RequestLimitExceeded',
        'ProvisionedThroughputExceededException'
    )
GROUP BY
    from_unixtime(floor(to_unixtime(eventTime) / 300) * 300),
    eventSource,
    eventName,
    userIdentity.arn
ORDER BY
    fiveMinutes,
    eventSource,
    eventName
