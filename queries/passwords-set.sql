-- Console passwords that were set or changed.
--
-- Passwords made for somebody, by whom, and whether the user has to choose a new one at once.
--
-- category: management

SELECT
    eventTime,
    recipientAccountId,
    eventName,
    element_at(requestParameters, 'userName') AS passwordOf,
    userIdentity.userName AS setBy,
    CAST(element_at(requestParameters, 'passwordResetRequired') AS boolean) AS mustChange
FROM
    my-event-data-store
WHERE
    eventName IN ('CreateLoginProfile', 'UpdateLoginProfile', 'DeleteLoginProfile', 'ChangePassword')
    AND errorCode IS NULL
ORDER BY
    eventTime
