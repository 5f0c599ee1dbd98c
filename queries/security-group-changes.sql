-- All changes to security group rules.
--
-- Both forms of the call in one list: rules that are added or taken away, and rules that are
-- edited in place.
--
-- category: management

SELECT
    eventTime,
    eventName,
    element_at(requestParameters, 'groupId') AS groupId,
    userIdentity.arn,
    element_at(requestParameters, 'ipPermissions') AS rule
FROM
    my-event-data-store
WHERE
    eventName IN (
        'AuthorizeSecurityGroupIngress', 'RevokeSecurityGroupIngress',
        'AuthorizeSecurityGroupEgress', 'RevokeSecurityGroupEgress'
    )
UNION ALL
SELECT
    eventTime,
    eventName,
    json_extract_scalar(
        element_at(requestParameters, 'ModifySecurityGroupRulesRequest'), '$.GroupId'
    ) AS groupId,
    userIdentity.arn,
    element_at(requestParameters, 'ModifySecurityGroupRulesRequest') AS rule
FROM
    my-event-data-store
WHERE
    eventName = 'ModifySecurityGroupRules'
ORDER BY
    eventTime
