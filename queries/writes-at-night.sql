-- Changes that people made outside working hours.
--
-- Write events of console sessions at night or at the weekend, UTC. Monday is day 1.
--
-- category: management

SELECT
    eventTime,
    day_of_week(eventTime) AS weekday,
    userIdentity.arn,
    eventSource,
    eventName
FROM
    my-event-data-store
WHERE
    readOnly = false
    AND sessionCredentialFromConsole = 'true'
    AND (hour(eventTime) NOT BETWEEN 6 AND 19 OR day_of_week(eventTime) IN (6, 7))
ORDER BY
    eventTime
