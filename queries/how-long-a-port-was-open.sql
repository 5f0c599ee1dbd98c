-- How long a security group stood open.
--
-- Each rule that let everyone in, with the time until it was taken back. No time means that it is
-- open still.
--
-- category: management

WITH opened AS (
    SELECT
        eventTime AS openedAt,
        userIdentity.arn AS openedBy,
        element_at(requestParameters, 'groupId') AS groupId,
        element_at(requestParameters, 'ipPermissions') AS rule
    FROM
        my-event-data-store
    WHERE
        eventName = 'AuthorizeSecurityGroupIngress'
        AND regexp_like(element_at(requestParameters, 'ipPermissions'), '"(0\.0\.0\.0|::)/0"')
),
closed AS (
    SELECT
        eventTime AS closedAt,
        element_at(requestParameters, 'groupId') AS groupId,
        element_at(requestParameters, 'ipPermissions') AS rule
    FROM
        my-event-data-store
    WHERE
        eventName = 'RevokeSecurityGroupIngress'
)
SELECT
    opened.groupId,
    opened.openedBy,
    opened.openedAt,
    min(closed.closedAt) AS closedAt,
    date_diff('minute', opened.openedAt, min(closed.closedAt)) AS minutesOpen
FROM
    opened
    LEFT JOIN closed
        ON closed.groupId = opened.groupId
        AND closed.rule = opened.rule
        AND closed.closedAt > opened.openedAt
GROUP BY
    opened.groupId,
    opened.openedBy,
    opened.openedAt
ORDER BY
    openedAt
