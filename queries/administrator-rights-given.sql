-- Who was given administrator rights.
--
-- The managed policies that allow everything, or everything in IAM, attached to a user, a role or
-- a group.
--
-- category: management

SELECT
    eventTime,
    recipientAccountId,
    userIdentity.arn AS givenBy,
    coalesce(
        element_at(requestParameters, 'userName'),
        element_at(requestParameters, 'roleName'),
        element_at(requestParameters, 'groupName')
    ) AS givenTo,
    element_at(requestParameters, 'policyArn') AS policy,
    sourceIPAddress
FROM
    my-event-data-store
WHERE
    eventName IN ('AttachUserPolicy', 'AttachRolePolicy', 'AttachGroupPolicy')
    AND regexp_like(
        element_at(requestParameters, 'policyArn'),
        '/(AdministratorAccess|IAMFullAccess|PowerUserAccess)$'
    )
ORDER BY
    eventTime DESC
