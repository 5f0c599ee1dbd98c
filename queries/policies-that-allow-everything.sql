-- Policies with a statement that allows every action.
--
-- Inline policies and policy versions are written as JSON in the request. One row per statement
-- that allows `*` on `*`.
--
-- category: management

SELECT
    eventTime,
    userIdentity.arn,
    eventName,
    coalesce(
        element_at(requestParameters, 'roleName'),
        element_at(requestParameters, 'userName'),
        element_at(requestParameters, 'policyName')
    ) AS target,
    json_format(statement) AS statement
FROM
    my-event-data-store
    CROSS JOIN UNNEST(
        CAST(json_extract(element_at(requestParameters, 'policyDocument'), '$.Statement') AS array(json))
    ) AS s(statement)
WHERE
    eventName IN ('PutUserPolicy', 'PutRolePolicy', 'PutGroupPolicy', 'CreatePolicy', 'CreatePolicyVersion')
    AND json_extract_scalar(statement, '$.Effect') = 'Allow'
    AND json_extract_scalar(statement, '$.Action') = '*'
    AND json_extract_scalar(statement, '$.Resource') = '*'
ORDER BY
    eventTime
