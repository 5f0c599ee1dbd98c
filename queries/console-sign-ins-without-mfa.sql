-- Console sign-ins with only a password.
--
-- Which IAM users got in without a second factor, how often and from where. Federated sign-ins are
-- left out: their second factor is asked for by the identity provider, where CloudTrail cannot see
-- it.
--
-- category: management

SELECT
    userIdentity.userName,
    recipientAccountId,
    sourceIPAddress,
    count(*) AS signIns,
    max(eventTime) AS lastSignIn
FROM
    my-event-data-store
WHERE
    eventSource = 'signin.amazonaws.com'
    AND eventName = 'ConsoleLogin'
    AND userIdentity.type = 'IAMUser'
    AND element_at(responseElements, 'ConsoleLogin') = 'Success'
    AND element_at(additionalEventData, 'MFAUsed') = 'No'
GROUP BY
    userIdentity.userName,
    recipientAccountId,
    sourceIPAddress
ORDER BY
    signIns DESC,
    lastSignIn DESC
