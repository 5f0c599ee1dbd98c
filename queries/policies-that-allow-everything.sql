-- Policies with a statement that allows every action.
--
-- Inline policies and policy versions are written as JSON in the request. One row per statement
-- that allows `*` on `*`; a policy may have one statement or a list of them, and both are read.
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
        coalesce(
            TRY_CAST(
                json_extract(element_at(requestParameters, 'policyDocument'), '$.Statement') AS array(json)
            ),
            ARRAY[json_extract(element_at(requestParameters, 'policyDocument'), '$.Statement')]
        )
    ) AS s(statement)
WHERE
    eventName IN ('PutUserPolicy', 'PutRolePolicy', 'PutGroupPolicy', 'CreatePolicy', 'CreatePolicyVersion')
    AND json_extract_scalar(statement, '$.Effect') = 'Allow'
    AND json_format(json_extract(statement, '$.Action')) IN ('"*"', '["*"]')
    AND json_format(json_extract(statement, '$.Resource')) IN ('"*"', '["*"]')
ORDER BY
    eventTime
