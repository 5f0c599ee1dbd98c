-- Who is refused most often.
--
-- A principal with many different refused calls is either badly set up or looking around. Codes
-- differ by service, so they are matched by form.
--
-- category: all

SELECT
    coalesce(userIdentity.sessionContext.sessionIssuer.arn, userIdentity.arn) AS principal,
    count(*) AS refused,
    count(DISTINCT eventName) AS differentCalls,
    array_join(slice(array_sort(array_agg(DISTINCT eventName)), 1, 5), ', ') AS examples,
    max(eventTime) AS lastTime
FROM
    my-event-data-store
WHERE
    regexp_like(errorCode, 'AccessDenied|UnauthorizedOperation')
    AND coalesce(userIdentity.sessionContext.sessionIssuer.arn, userIdentity.arn) IS NOT NULL
GROUP BY
    coalesce(userIdentity.sessionContext.sessionIssuer.arn, userIdentity.arn)
ORDER BY
    refused DESC,
    principal
LIMIT 20
