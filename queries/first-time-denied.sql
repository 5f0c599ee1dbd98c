-- Principals that were refused for the first time this year.
--
-- Refusals are ordinary for some principals. New is more telling: refused since 2025, and never
-- before. Change the year to the time you look into.
--
-- category: all

SELECT DISTINCT
    userIdentity.arn
FROM
    my-event-data-store
WHERE
    errorCode IN ('AccessDenied', 'AccessDeniedException', 'Client.UnauthorizedOperation')
    AND eventTime >= '2025-01-01'
    AND userIdentity.arn NOT IN (
        SELECT
            userIdentity.arn
        FROM
            my-event-data-store
        WHERE
            errorCode IN ('AccessDenied', 'AccessDeniedException', 'Client.UnauthorizedOperation')
            AND eventTime < '2025-01-01'
            AND userIdentity.arn IS NOT NULL
    )
ORDER BY
    1
