-- Event triggers: they run within the plan's transactions, with the applier's rights.
SELECT CASE WHEN t.trusted THEN 'note' ELSE 'unfit' END,
       pg_catalog.concat('event trigger ', t.evtname, ', of role ', t.owner, ', runs ', t.evtfoid::pg_catalog.regprocedure,
                         ', of role ', t.maker, ', at ', t.evtevent),
       CASE WHEN NOT t.trusted THEN 'disable it meanwhile, or let a superuser own both' END
  FROM (SELECT e.evtname, e.evtevent, e.evtfoid, o.rolname AS owner, m.rolname AS maker,
               (o.rolsuper OR o.rolname OPERATOR(pg_catalog.=) CURRENT_USER) AND (m.rolsuper OR m.rolname OPERATOR(pg_catalog.=) CURRENT_USER) AS trusted
          FROM pg_catalog.pg_event_trigger e
          JOIN pg_catalog.pg_proc f ON f.oid OPERATOR(pg_catalog.=) e.evtfoid
          JOIN pg_catalog.pg_roles o ON o.oid OPERATOR(pg_catalog.=) e.evtowner
          JOIN pg_catalog.pg_roles m ON m.oid OPERATOR(pg_catalog.=) f.proowner
         WHERE e.evtenabled OPERATOR(pg_catalog.=) ANY ('{O,A}'::"char"[])) AS t
