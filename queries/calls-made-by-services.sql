-- What AWS's services do in your name.
--
-- Services call other services, with a role of yours or on their own account. By the service that
-- called.
--
-- category: management

SELECT
    userIdentity.invokedBy,
    eventSource,
    eventName,
    count(*) AS calls
FROM
    my-event-data-store
WHERE
    userIdentity.invokedBy IS NOT NULL
    AND eventType <> 'AwsServiceEvent'
GROUP BY
    userIdentity.invokedBy,
    eventSource,
    eventName
HAVING
    count(*) >= 10
ORDER BY
    calls DESC,
    eventName
