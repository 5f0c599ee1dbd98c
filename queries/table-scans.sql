-- Tables of DynamoDB that are scanned.
--
-- A scan reads the whole table: it costs, and it is how a table is copied. By table and role, with
-- the days on which it happened.
--
-- category: data

SELECT
    element_at(requestParameters, 'tableName') AS tableName,
    userIdentity.sessionContext.sessionIssuer.userName AS role,
    count(*) AS scans,
    array_agg(DISTINCT calendarday ORDER BY calendarday) AS days
FROM
    my-event-data-store
WHERE
    eventSource = 'dynamodb.amazonaws.com'
    AND eventName = 'Scan'
GROUP BY
    element_at(requestParameters, 'tableName'),
    userIdentity.sessionContext.sessionIssuer.userName
ORDER BY
    tableName
