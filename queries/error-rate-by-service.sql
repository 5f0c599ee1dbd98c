-- How many calls fail, by service.
--
-- The share of calls that return an error, for services with at least twenty calls, and the error
-- that is most frequent.
--
-- category: all

WITH errors AS (
    SELECT
        eventSource,
        errorCode,
        count(*) AS calls
    FROM
        my-event-data-store
    GROUP BY
        eventSource,
        errorCode
)
SELECT
    eventSource,
    sum(calls) AS calls,
    round(100.0 * sum(IF(errorCode IS NULL, 0, calls)) / sum(calls), 1) AS percentFailed,
    max_by(errorCode, IF(errorCode IS NULL, 0, calls)) AS mostFrequent
FROM
    errors
GROUP BY
    eventSource
HAVING
    sum(calls) >= 20
    AND sum(IF(errorCode IS NULL, 0, calls)) > 0
ORDER BY
    percentFailed DESC,
    eventSource
