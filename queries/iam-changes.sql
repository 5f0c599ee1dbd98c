-- Changes to users, roles, groups and policies.
--
-- Who changed what in IAM, by month. The pipeline is expected here; people are less so.
--
-- category: management

SELECT
    date_trunc('month', eventTime) AS month,
    recipientAccountId,
    coalesce(userIdentity.sessionContext.sessionIssuer.userName, userIdentity.userName) AS changedBy,
    count(*) AS changes,
    array_join(array_sort(array_agg(DISTINCT eventName)), ', ') AS calls
FROM
    my-event-data-store
WHERE
    eventSource = 'iam.amazonaws.com'
    AND readOnly = false
    AND errorCode IS NULL
GROUP BY
    date_trunc('month', eventTime),
    recipientAccountId,
    coalesce(userIdentity.sessionContext.sessionIssuer.userName, userIdentity.userName)
ORDER BY
    month,
    recipientAccountId,
    changedBy
