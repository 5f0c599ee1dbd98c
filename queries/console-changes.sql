-- Changes made by hand in the console.
--
-- What should have gone through the pipeline: write events with the credentials of a console
-- session, by person and service.
--
-- category: management

SELECT
    coalesce(element_at(split(userIdentity.principalId, ':'), 2), userIdentity.userName) AS person,
    recipientAccountId,
    eventSource,
    count(*) AS changes,
    array_join(array_sort(array_agg(DISTINCT eventName)), ', ') AS calls
FROM
    my-event-data-store
WHERE
    sessionCredentialFromConsole = 'true'
    AND readOnly = false
GROUP BY
    coalesce(element_at(split(userIdentity.principalId, ':'), 2), userIdentity.userName),
    recipientAccountId,
    eventSource
ORDER BY
    changes DESC,
    person,
    eventSource
