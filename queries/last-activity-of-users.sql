-- When each IAM user was last active, and with what.
--
-- For tidying up: users and keys that nobody has used for a while. The last call is the one at the
-- latest time.
--
-- category: all

SELECT
    recipientAccountId,
    userIdentity.userName,
    userIdentity.accessKeyId,
    count(*) AS events,
    max(eventTime) AS lastSeen,
    max_by(eventName, eventTime) AS lastCall
FROM
    my-event-data-store
WHERE
    userIdentity.type = 'IAMUser'
    AND userIdentity.accessKeyId LIKE 'AKIA%'
GROUP BY
    recipientAccountId,
    userIdentity.userName,
    userIdentity.accessKeyId
ORDER BY
    lastSeen
