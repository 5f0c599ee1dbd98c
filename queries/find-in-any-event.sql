-- Any event that mentions a piece of text.
--
-- When you know a name and not where it stands: `eventJson` is the whole event as CloudTrail wrote
-- it. The slowest of questions, so give it a span of time.
--
-- category: all

SELECT
    eventTime,
    eventName,
    userIdentity.arn,
    eventJson
FROM
    my-event-data-store
WHERE
    eventJson LIKE '%tideTable%'
    AND eventTime BETWEEN '2024-10-01' AND '2024-11-01'
ORDER BY
    eventTime
