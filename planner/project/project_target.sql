-- What a bundle's snapshot says of its project: label, configuration (digest), facts (digest).
SELECT label, configuration, facts FROM target ORDER BY target LIMIT 1
