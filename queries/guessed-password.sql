-- Sign-ins that succeeded after many failures.
--
-- For each user, address and day: at least five failures, and a success after the last of them.
-- That is what a guessed password looks like.
--
-- category: management

WITH attempts AS (
    SELECT
        userIdentity.userName AS userName,
        sourceIPAddress AS address,
        date_trunc('day', eventTime) AS day,
        eventTime AS attemptTime,
        element_at(responseElements, 'ConsoleLogin') AS outcome
    FROM
        my-event-data-store
    WHERE
        eventName = 'ConsoleLogin'
)
SELECT
    userName,
    address,
    count_if(outcome = 'Failure') AS failures,
    max(CASE WHEN outcome = 'Failure' THEN attemptTime END) AS lastFailure,
    max(CASE WHEN outcome = 'Success' THEN attemptTime END) AS success
FROM
    attempts
GROUP BY
    userName,
    address,
    day
HAVING
    count_if(outcome = 'Failure') >= 5
    AND max(CASE WHEN outcome = 'Success' THEN attemptTime END)
        > max(CASE WHEN outcome = 'Failure' THEN attemptTime END)
ORDER BY
    success
