-- Access keys that were created.
--
-- Every new long-term key: for whom, by whom, and which. A key made by its own user and one made
-- for somebody else are told apart.
--
-- category: management

SELECT
    eventTime,
    recipientAccountId,
    coalesce(element_at(requestParameters, 'userName'), userIdentity.userName) AS keyFor,
    coalesce(userIdentity.userName, userIdentity.sessionContext.sessionIssuer.userName) AS madeBy,
    json_extract_scalar(element_at(responseElements, 'accessKey'), '$.accessKeyId') AS accessKeyId,
    IF(
        coalesce(element_at(requestParameters, 'userName'), userIdentity.userName)
            IS DISTINCT FROM userIdentity.userName,
        'for somebody else',
        'own'
    ) AS kind
FROM
    my-event-data-store
WHERE
    eventSource = 'iam.amazonaws.com'
    AND eventName = 'CreateAccessKey'
    AND errorCode IS NULL
ORDER BY
    eventTime DESC
