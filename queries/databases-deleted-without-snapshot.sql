-- Databases that were deleted without a last snapshot.
--
-- A database deleted with `skipFinalSnapshot` can only come back from an older backup, if there is
-- one.
--
-- category: management

SELECT
    eventTime,
    recipientAccountId,
    element_at(requestParameters, 'dBInstanceIdentifier') AS database,
    element_at(requestParameters, 'deleteAutomatedBackups') AS backupsDeletedToo,
    userIdentity.arn
FROM
    my-event-data-store
WHERE
    eventName IN ('DeleteDBInstance', 'DeleteDBCluster')
    AND element_at(requestParameters, 'skipFinalSnapshot') = 'true'
ORDER BY
    eventTime
