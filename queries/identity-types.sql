-- What kinds of identity make the calls.
--
-- A first look at an unknown trail: how many calls each type of identity makes, and how many
-- different identities there are of it, about.
--
-- category: all

SELECT
    coalesce(userIdentity.type, 'none') AS type,
    count(*) AS events,
    approx_distinct(userIdentity.principalId) AS identities
FROM
    my-event-data-store
GROUP BY
    coalesce(userIdentity.type, 'none')
ORDER BY
    events DESC,
    type
