-- Console sign-ins that failed.
--
-- Failures by user and address, with the reasons given. Names that do not exist are logged as
-- `HIDDEN_DUE_TO_SECURITY_REASONS`, since people type passwords into the wrong field.
--
-- category: management

SELECT
    userIdentity.userName,
    sourceIPAddress,
    count(*) AS failures,
    array_sort(array_agg(DISTINCT errorMessage)) AS reasons,
    min(eventTime) AS firstFailure,
    max(eventTime) AS lastFailure
FROM
    my-event-data-store
WHERE
    eventName = 'ConsoleLogin'
    AND element_at(responseElements, 'ConsoleLogin') = 'Failure'
GROUP BY
    userIdentity.userName,
    sourceIPAddress
ORDER BY
    failures DESC
