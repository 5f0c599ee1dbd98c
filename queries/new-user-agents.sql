-- Programs that a user had not used before.
--
-- The programs of each IAM user that has used more than one, in the order in which they turned up,
-- with the one before. A deployment key that turns up in an unknown program has changed hands.
--
-- category: all

WITH programs AS (
    SELECT
        userIdentity.arn AS identity,
        split_part(userAgent, '/', 1) || '/' || split_part(split_part(userAgent, '/', 2), ' ', 1) AS program,
        min(eventTime) AS firstSeen,
        count(*) AS calls
    FROM
        my-event-data-store
    WHERE
        userIdentity.type = 'IAMUser'
        AND eventType = 'AwsApiCall'
    GROUP BY
        1,
        2
)
SELECT
    identity,
    program,
    firstSeen,
    calls,
    lag(program) OVER (PARTITION BY identity ORDER BY firstSeen) AS programBefore
FROM
    programs
WHERE
    identity IN (SELECT identity FROM programs GROUP BY identity HAVING count(*) > 1)
ORDER BY
    identity,
    firstSeen
