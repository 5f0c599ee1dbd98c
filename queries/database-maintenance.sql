-- What was done to databases.
--
-- Failovers, reboots, changes and deletions of RDS databases, in order.
--
-- category: management

SELECT
    eventTime,
    awsRegion,
    eventName,
    coalesce(
        element_at(requestParameters, 'dBInstanceIdentifier'),
        element_at(requestParameters, 'dBClusterIdentifier')
    ) AS database,
    coalesce(userIdentity.sessionContext.sessionIssuer.userName, userIdentity.userName) AS doneBy
FROM
    my-event-data-store
WHERE
    eventSource = 'rds.amazonaws.com'
    AND readOnly = false
ORDER BY
    eventTime
