-- Roles that another account may now assume.
--
-- The trust policy of a role says who may take it. Changes that name an account other than the
-- role's own, with the account taken from the policy's text.
--
-- category: management

SELECT
    eventTime,
    element_at(requestParameters, 'roleName') AS roleName,
    recipientAccountId AS roleAccount,
    regexp_extract(
        element_at(requestParameters, 'policyDocument'), 'arn:aws:iam::(\d{12}):', 1
    ) AS trustedAccount,
    userIdentity.arn AS changedBy
FROM
    my-event-data-store
WHERE
    eventName = 'UpdateAssumeRolePolicy'
    AND errorCode IS NULL
    AND regexp_extract(
        element_at(requestParameters, 'policyDocument'), 'arn:aws:iam::(\d{12}):', 1
    ) <> recipientAccountId
ORDER BY
    eventTime
