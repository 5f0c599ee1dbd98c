-- What happened on one day.
--
-- Calls by service on one day. `calendarday` is a number, `YYYYMMDD`, and the quickest way to name
-- a day.
--
-- category: all

SELECT
    eventSource,
    count(*) AS events,
    count_if(errorCode IS NOT NULL) AS errors,
    count(DISTINCT userIdentity.arn) AS identities
FROM
    my-event-data-store
WHERE
    calendarday = 20241114
GROUP BY
    eventSource
ORDER BY
    events DESC,
    eventSource
