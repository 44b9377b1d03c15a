-- The shapes of schemas, and their fingerprints.
--
-- $1 oid[]   the schemas
-- $2 text[]  history tables: left out, with all that belongs to them
-- Rows: schema (oid), fingerprint (hex SHA-256 of text), text. One row for each schema that exists. PostgreSQL 12 to 18.
--
-- To be run with search_path = pg_catalog, pg_temp: deparsed text then qualifies every name outside pg_catalog, and the
-- schema's own name can be taken out of it. Text is one line per object, [kind, name, table, about, definition, more],
-- sorted by bytes; other kinds have [unmodelled, kind, name], some with their definition behind it.
--
-- How it is planned must not depend on statistics: everything hangs on the objects that pg_depend's index on
-- (refclassid, refobjid) gives for one schema, and each step behind is a LATERAL look-up by an index.
-- Relation caches are costly to build (one for each table of each schema), so whatever can be written without one is:
-- defaults are deparsed without their table, plain indexes are put together from pg_index.
SELECT w.schema, pg_catalog.encode(pg_catalog.sha256(pg_catalog.convert_to(t.text, 'UTF8')), 'hex') AS fingerprint,
	t.text
FROM (
	SELECT n.oid AS schema, n.nspname AS name, pg_catalog.concat(pg_catalog.quote_ident(n.nspname), '.') AS own,
		pg_catalog.rtrim(pg_catalog.ltrim(pg_catalog.to_json(pg_catalog.concat(pg_catalog.quote_ident(n.nspname),
			'.'))::pg_catalog.text, '"'), '"') AS own_json
	FROM pg_catalog.unnest($1::pg_catalog.oid[]) AS u (oid)
	CROSS JOIN LATERAL (SELECT s.oid, s.nspname FROM pg_catalog.pg_namespace AS s
		WHERE s.oid OPERATOR(pg_catalog.=) u.oid OFFSET 0) AS n
	OFFSET 0
) AS w
CROSS JOIN LATERAL (
	SELECT coalesce(pg_catalog.string_agg(x.line, '' ORDER BY x.line COLLATE pg_catalog."C"), '') AS text
	FROM (
		-- Its own name: marked by chr(1) wherever it stands behind the fields that are names, and put back where
		-- it is the end of a longer name; chr(2) stands between fields meanwhile.
		SELECT pg_catalog.concat(CASE WHEN pg_catalog.strpos(j.line, w.own_json) OPERATOR(pg_catalog.=) 0
			AND j.kind OPERATOR(pg_catalog.<>) 'function' THEN j.line
			ELSE pg_catalog.array_to_json(j.fields[:j.names] OPERATOR(pg_catalog.||)
				pg_catalog.string_to_array(pg_catalog.replace(pg_catalog.regexp_replace(pg_catalog.replace(
					CASE WHEN j.kind OPERATOR(pg_catalog.=) 'function' THEN pg_catalog.replace(
						pg_catalog.array_to_string(j.fields[j.names OPERATOR(pg_catalog.+) 1:], pg_catalog.chr(2)),
						pg_catalog.concat(E'\n SET search_path TO ''', pg_catalog.replace(w.name::pg_catalog.text,
							'''', ''''''), ''''),
						E'\n SET search_path TO ''~''')
					ELSE pg_catalog.array_to_string(j.fields[j.names OPERATOR(pg_catalog.+) 1:],
						pg_catalog.chr(2)) END,
				w.own, pg_catalog.chr(1)), E'([A-Za-z0-9_$".\x01]|[^\x01-\x7f])\x01' COLLATE pg_catalog."C",
					pg_catalog.concat('\1', pg_catalog.replace(w.own, '\', '\\')), 'g'), pg_catalog.chr(1), '~.'),
				pg_catalog.chr(2)))::pg_catalog.text END, pg_catalog.chr(10)) AS line
		FROM (
			SELECT d.classid, d.objid, c.relname, c.relkind, c.relpersistence, c.relispartition, c.relreplident,
				c.relam, c.reloftype, c.reloptions, c.relpartbound, c.relhasindex, c.relhastriggers, c.relhasrules,
				c.relrowsecurity, c.relforcerowsecurity
			FROM pg_catalog.pg_depend AS d
			LEFT JOIN LATERAL (SELECT * FROM pg_catalog.pg_class AS r
				WHERE d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass
				AND r.oid OPERATOR(pg_catalog.=) d.objid OFFSET 0) AS c ON true
			WHERE d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_namespace'::pg_catalog.regclass
				AND d.refobjid OPERATOR(pg_catalog.=) w.schema AND d.deptype OPERATOR(pg_catalog.=) 'n'
				AND d.classid OPERATOR(pg_catalog.<>) 'pg_catalog.pg_extension'::pg_catalog.regclass
				AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend AS e WHERE e.classid OPERATOR(pg_catalog.=) d.classid
					AND e.objid OPERATOR(pg_catalog.=) d.objid
					AND e.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_extension'::pg_catalog.regclass
						AND e.deptype OPERATOR(pg_catalog.=) 'e')
				AND (c.relkind OPERATOR(pg_catalog.=) ANY ('{r,p}')
					AND c.relname OPERATOR(pg_catalog.=) ANY ($2::pg_catalog.text[])) IS NOT TRUE
			OFFSET 0
		) AS o
		CROSS JOIN LATERAL (
			SELECT l.kind, l.fields, pg_catalog.array_to_json(l.fields)::pg_catalog.text AS line, CASE
				WHEN l.kind OPERATOR(pg_catalog.=) 'unmodelled' THEN 2 ELSE 3 END AS names
			FROM (
				SELECT 'table' AS kind, ARRAY['table', o.relname, '',
					pg_catalog.concat_ws(' ', CASE WHEN o.relkind OPERATOR(pg_catalog.=) 'p' THEN 'partitioned' END,
						CASE WHEN o.relpersistence OPERATOR(pg_catalog.=) 'u' THEN 'unlogged' END,
						CASE WHEN o.relreplident OPERATOR(pg_catalog.<>) 'd'
							THEN pg_catalog.concat('replica identity ', o.relreplident) END,
						CASE WHEN o.relam OPERATOR(pg_catalog.<>) 0 AND o.relam OPERATOR(pg_catalog.<>) 2
							THEN pg_catalog.concat('using ', (pg_catalog.pg_identify_object(
								'pg_catalog.pg_am'::pg_catalog.regclass, o.relam, 0)).name) END,
						pg_catalog.array_to_string(o.reloptions, ' ')),
					pg_catalog.concat_ws(' ', CASE WHEN o.reloftype OPERATOR(pg_catalog.<>) 0
						THEN pg_catalog.concat('of ', pg_catalog.format_type(o.reloftype, NULL)) END,
						(SELECT pg_catalog.concat('inherits ',
							pg_catalog.string_agg(h.inhparent::pg_catalog.regclass::pg_catalog.text,
							', ' ORDER BY h.inhseqno)) FROM pg_catalog.pg_inherits AS h
							WHERE h.inhrelid OPERATOR(pg_catalog.=) o.objid HAVING pg_catalog.count(*) OPERATOR(pg_catalog.>) 0),
						CASE WHEN o.relispartition THEN pg_catalog.pg_get_expr(o.relpartbound, o.objid) END),
					CASE WHEN o.relkind OPERATOR(pg_catalog.=) 'p' THEN pg_catalog.pg_get_partkeydef(o.objid)
						ELSE '' END]::pg_catalog.text[] AS fields
				WHERE o.relkind OPERATOR(pg_catalog.=) ANY ('{r,p}')
				UNION ALL
				SELECT 'column', ARRAY['column', a.attname, o.relname,
					pg_catalog.concat_ws(' ', CASE WHEN a.attnotnull THEN 'not null' END,
						CASE WHEN a.attidentity OPERATOR(pg_catalog.=) 'a' THEN 'identity always'
							WHEN a.attidentity OPERATOR(pg_catalog.=) 'd' THEN 'identity by default' END,
						CASE WHEN a.attgenerated OPERATOR(pg_catalog.=) 's' THEN 'generated stored'
							WHEN a.attgenerated OPERATOR(pg_catalog.=) 'v' THEN 'generated virtual' END,
						CASE WHEN a.attcollation OPERATOR(pg_catalog.<>) 0
							AND a.attcollation OPERATOR(pg_catalog.<>) 100 THEN
							pg_catalog.concat('collate ', (pg_catalog.pg_identify_object(
								'pg_catalog.pg_collation'::pg_catalog.regclass, a.attcollation, 0)).identity) END),
					pg_catalog.format_type(a.atttypid, a.atttypmod),
					CASE WHEN a.atthasdef THEN (
						SELECT pg_catalog.pg_get_expr(f.adbin, CASE WHEN a.attgenerated OPERATOR(pg_catalog.=) ''
							THEN 0 ELSE f.adrelid END)
						FROM pg_catalog.pg_attrdef AS f WHERE f.adrelid OPERATOR(pg_catalog.=) a.attrelid
							AND f.adnum OPERATOR(pg_catalog.=) a.attnum) ELSE '' END]::pg_catalog.text[]
				FROM pg_catalog.pg_attribute AS a
				WHERE o.relkind OPERATOR(pg_catalog.=) ANY ('{r,p,v,m,f}')
					AND a.attrelid OPERATOR(pg_catalog.=) o.objid AND a.attnum OPERATOR(pg_catalog.>) 0
					AND NOT a.attisdropped
				UNION ALL
				SELECT 'constraint', ARRAY['constraint', k.conname, o.relname, '',
					pg_catalog.pg_get_constraintdef(k.oid), '']::pg_catalog.text[]
				FROM pg_catalog.pg_constraint AS k
				WHERE o.relkind OPERATOR(pg_catalog.=) ANY ('{r,p,f}') AND k.conrelid OPERATOR(pg_catalog.=) o.objid
					AND k.contype OPERATOR(pg_catalog.<>) ALL ('{n,t}')
				UNION ALL
				SELECT 'index', ARRAY['index', i.relname, o.relname,
					pg_catalog.concat_ws(' ', CASE WHEN NOT i.indisvalid THEN 'invalid' END, CASE
						WHEN NOT i.indisready THEN 'not ready' END,
						CASE WHEN i.indisclustered THEN 'clustered' END, CASE WHEN i.indisreplident
							THEN 'replica identity' END),
					CASE WHEN i.made_by_constraint THEN pg_catalog.concat_ws(' ', 'constraint',
						pg_catalog.array_to_string(i.reloptions, ' '))
					WHEN i.indisunique OR i.indexprs IS NOT NULL OR i.indpred IS NOT NULL OR i.reloptions IS NOT NULL
						OR i.relkind OPERATOR(pg_catalog.<>) 'i'
						OR i.relam OPERATOR(pg_catalog.<>) ALL ('{403,405,2742}')
							THEN pg_catalog.pg_get_indexdef(i.indexrelid)
					ELSE pg_catalog.concat(CASE WHEN i.relam OPERATOR(pg_catalog.=) 403 THEN 'btree'
						WHEN i.relam OPERATOR(pg_catalog.=) 405 THEN 'hash' ELSE 'gin' END, ' (', (
						SELECT pg_catalog.string_agg(pg_catalog.concat(pg_catalog.quote_ident(a.attname), CASE
							WHEN k.n OPERATOR(pg_catalog.<) i.indnkeyatts THEN pg_catalog.concat(' ',
							CASE WHEN i.indcollation[k.n] OPERATOR(pg_catalog.<>) 0
								AND i.indcollation[k.n] OPERATOR(pg_catalog.<>) 100 THEN
								pg_catalog.concat('COLLATE ', (pg_catalog.pg_identify_object(
									'pg_catalog.pg_collation'::pg_catalog.regclass, i.indcollation[k.n], 0)).identity, ' ') END,
							(SELECT pg_catalog.concat(CASE
								WHEN p.opcnamespace OPERATOR(pg_catalog.<>) 'pg_catalog'::pg_catalog.regnamespace
									THEN pg_catalog.concat(p.opcnamespace::pg_catalog.regnamespace, '.') END,
								pg_catalog.quote_ident(p.opcname)) FROM pg_catalog.pg_opclass AS p
								WHERE p.oid OPERATOR(pg_catalog.=) i.indclass[k.n]),
							CASE WHEN i.indoption[k.n] OPERATOR(pg_catalog.&) 1 OPERATOR(pg_catalog.=) 1
								THEN ' DESC' END,
							CASE WHEN i.indoption[k.n] OPERATOR(pg_catalog.&) 2 OPERATOR(pg_catalog.=) 2
								THEN ' NULLS FIRST' END) ELSE ' included' END), ', ' ORDER BY k.n)
						FROM pg_catalog.generate_subscripts(i.indkey, 1) AS k (n)
						CROSS JOIN LATERAL (SELECT y.attname FROM pg_catalog.pg_attribute AS y
							WHERE y.attrelid OPERATOR(pg_catalog.=) o.objid
							AND y.attnum OPERATOR(pg_catalog.=) i.indkey[k.n] OFFSET 0) AS a), ')')
					END, '']::pg_catalog.text[]
				FROM (
					SELECT q.*, r.relname, r.relkind, r.relam, r.reloptions,
						(q.indisunique OR q.indisexclusion) AND EXISTS (SELECT FROM pg_catalog.pg_constraint AS k
							WHERE k.conrelid OPERATOR(pg_catalog.=) q.indrelid
							AND k.contypid OPERATOR(pg_catalog.=) 0 AND k.conname OPERATOR(pg_catalog.=) r.relname
								AND k.contype OPERATOR(pg_catalog.=) ANY ('{p,u,x}')) AS made_by_constraint
					FROM pg_catalog.pg_index AS q
					CROSS JOIN LATERAL (SELECT * FROM pg_catalog.pg_class AS g
						WHERE g.oid OPERATOR(pg_catalog.=) q.indexrelid OFFSET 0) AS r
					WHERE o.relkind OPERATOR(pg_catalog.=) ANY ('{r,p,m}') AND o.relhasindex
						AND q.indrelid OPERATOR(pg_catalog.=) o.objid
					OFFSET 0
				) AS i
				UNION ALL
				SELECT 'trigger', ARRAY['trigger', g.tgname, o.relname,
					CASE WHEN g.tgenabled OPERATOR(pg_catalog.<>) 'O' THEN pg_catalog.concat('enabled ', g.tgenabled)
						ELSE '' END, pg_catalog.pg_get_triggerdef(g.oid), '']::pg_catalog.text[]
				FROM pg_catalog.pg_trigger AS g
				WHERE o.relhastriggers AND g.tgrelid OPERATOR(pg_catalog.=) o.objid AND NOT g.tgisinternal
				UNION ALL
				SELECT 'sequence', ARRAY['sequence', o.relname, coalesce(b.relname, ''),
					pg_catalog.concat_ws(' ', CASE WHEN o.relpersistence OPERATOR(pg_catalog.=) 'u'
						THEN 'unlogged' END, pg_catalog.format_type(q.seqtypid, NULL), 'start', q.seqstart,
						'increment', q.seqincrement, 'min', q.seqmin, 'max', q.seqmax, 'cache', q.seqcache,
						CASE WHEN q.seqcycle THEN 'cycle' END),
					coalesce(b.owner, ''), '']::pg_catalog.text[]
				FROM pg_catalog.pg_sequence AS q
				LEFT JOIN LATERAL (
					SELECT c.relname, pg_catalog.concat(CASE WHEN d.deptype OPERATOR(pg_catalog.=) 'i'
						THEN 'identity of ' ELSE 'owned by ' END, pg_catalog.quote_ident(a.attname)) AS owner
					FROM pg_catalog.pg_depend AS d
					CROSS JOIN LATERAL (SELECT * FROM pg_catalog.pg_class AS r
						WHERE r.oid OPERATOR(pg_catalog.=) d.refobjid OFFSET 0) AS c
					CROSS JOIN LATERAL (SELECT * FROM pg_catalog.pg_attribute AS y
						WHERE y.attrelid OPERATOR(pg_catalog.=) d.refobjid
						AND y.attnum OPERATOR(pg_catalog.=) d.refobjsubid OFFSET 0) AS a
					WHERE d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass
						AND d.objid OPERATOR(pg_catalog.=) q.seqrelid
						AND d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass
						AND d.refobjsubid OPERATOR(pg_catalog.>) 0 AND d.deptype OPERATOR(pg_catalog.=) ANY ('{a,i}')
					OFFSET 0
				) AS b ON true
				WHERE o.relkind OPERATOR(pg_catalog.=) 'S' AND q.seqrelid OPERATOR(pg_catalog.=) o.objid
					AND (b.relname OPERATOR(pg_catalog.=) ANY ($2::pg_catalog.text[])) IS NOT TRUE
				UNION ALL
				SELECT v.kind, ARRAY[v.kind, o.relname, '', pg_catalog.concat(pg_catalog.array_to_string(o.reloptions,
					' ')), pg_catalog.pg_get_viewdef(o.objid), '']::pg_catalog.text[]
				FROM (SELECT CASE WHEN o.relkind OPERATOR(pg_catalog.=) 'v' THEN 'view' ELSE 'matview' END AS kind
					WHERE o.relkind OPERATOR(pg_catalog.=) ANY ('{v,m}')) AS v
				UNION ALL
				SELECT 'function', ARRAY[CASE WHEN p.prokind OPERATOR(pg_catalog.=) 'p' THEN 'procedure'
					ELSE 'function' END, p.proname, '',
					pg_catalog.pg_get_function_identity_arguments(p.oid), pg_catalog.pg_get_functiondef(p.oid),
						'']::pg_catalog.text[]
				FROM pg_catalog.pg_proc AS p
				WHERE o.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_proc'::pg_catalog.regclass
					AND p.oid OPERATOR(pg_catalog.=) o.objid AND p.prokind OPERATOR(pg_catalog.<>) 'a'
				UNION ALL
				SELECT 'type', ARRAY['type', y.typname, '', 'enum',
					(SELECT pg_catalog.string_agg(pg_catalog.quote_literal(m.enumlabel),
						', ' ORDER BY m.enumsortorder) FROM pg_catalog.pg_enum AS m
						WHERE m.enumtypid OPERATOR(pg_catalog.=) y.oid), '']::pg_catalog.text[]
				FROM pg_catalog.pg_type AS y
				WHERE o.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_type'::pg_catalog.regclass
					AND y.oid OPERATOR(pg_catalog.=) o.objid AND y.typtype OPERATOR(pg_catalog.=) 'e'
				UNION ALL
				SELECT 'unmodelled', ARRAY['unmodelled', z.kind, z.name]::pg_catalog.text[]
					OPERATOR(pg_catalog.||) CASE WHEN z.definition IS NULL THEN ARRAY[]::pg_catalog.text[]
						ELSE ARRAY[z.definition]::pg_catalog.text[] END
				FROM (
					SELECT 'policy' AS kind, pg_catalog.concat(o.relname, ' ', p.polname) AS name,
						pg_catalog.concat_ws(' ', CASE WHEN p.polpermissive THEN 'permissive' ELSE 'restrictive' END,
							'for', p.polcmd, 'to', (SELECT pg_catalog.string_agg(t.name, ', '
									ORDER BY t.name COLLATE pg_catalog."C")
								FROM (SELECT CASE WHEN u.role OPERATOR(pg_catalog.=) 0 THEN 'public'
									ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(u.role)) END AS name
									FROM pg_catalog.unnest(p.polroles) AS u (role)) AS t),
							CASE WHEN p.polqual IS NOT NULL THEN pg_catalog.concat('using (',
								pg_catalog.pg_get_expr(p.polqual, p.polrelid), ')') END,
							CASE WHEN p.polwithcheck IS NOT NULL THEN pg_catalog.concat('check (',
								pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid), ')') END) AS definition
						FROM pg_catalog.pg_policy AS p WHERE o.relkind OPERATOR(pg_catalog.=) ANY ('{r,p}')
						AND p.polrelid OPERATOR(pg_catalog.=) o.objid
					UNION ALL
					SELECT 'row security', o.relname::pg_catalog.text, pg_catalog.concat_ws(' ',
						CASE WHEN o.relrowsecurity THEN 'enabled' END, CASE WHEN o.relforcerowsecurity THEN 'forced' END)
					WHERE o.relrowsecurity OR o.relforcerowsecurity
					UNION ALL
					SELECT 'rule', pg_catalog.concat(o.relname, ' ', r.rulename),
						pg_catalog.concat_ws(' ', CASE WHEN r.ev_enabled OPERATOR(pg_catalog.<>) 'O'
							THEN pg_catalog.concat('enabled ', r.ev_enabled) END, pg_catalog.pg_get_ruledef(r.oid))
					FROM pg_catalog.pg_rewrite AS r
					WHERE o.relhasrules AND r.ev_class OPERATOR(pg_catalog.=) o.objid
						AND r.rulename OPERATOR(pg_catalog.<>) '_RETURN'
					UNION ALL
					SELECT i.type, i.identity, CASE
						WHEN o.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_statistic_ext'::pg_catalog.regclass
							THEN pg_catalog.pg_get_statisticsobjdef(o.objid)
						WHEN o.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_type'::pg_catalog.regclass THEN (
							SELECT CASE WHEN y.typtype OPERATOR(pg_catalog.=) 'd' THEN pg_catalog.concat_ws(' ',
								pg_catalog.format_type(y.typbasetype, y.typtypmod),
								CASE WHEN y.typcollation OPERATOR(pg_catalog.<>) 0
									AND y.typcollation OPERATOR(pg_catalog.<>) 100
									THEN (SELECT pg_catalog.concat('collate ', n.identity) FROM pg_catalog.pg_identify_object(
									'pg_catalog.pg_collation'::pg_catalog.regclass, y.typcollation, 0) AS n) END,
								CASE WHEN y.typnotnull THEN 'not null' END,
								CASE WHEN y.typdefault IS NOT NULL THEN pg_catalog.concat('default ',
									coalesce(pg_catalog.pg_get_expr(y.typdefaultbin, 0), y.typdefault)) END,
								(SELECT pg_catalog.string_agg(pg_catalog.concat(pg_catalog.quote_ident(k.conname), ' ',
									pg_catalog.pg_get_constraintdef(k.oid)), ' ' ORDER BY k.conname)
									FROM pg_catalog.pg_constraint AS k WHERE k.contypid OPERATOR(pg_catalog.=) y.oid
									AND k.contype OPERATOR(pg_catalog.=) 'c'))
							WHEN y.typtype OPERATOR(pg_catalog.=) 'c' THEN (SELECT pg_catalog.string_agg(pg_catalog.concat_ws(' ',
								pg_catalog.quote_ident(a.attname), pg_catalog.format_type(a.atttypid, a.atttypmod),
								CASE WHEN a.attcollation OPERATOR(pg_catalog.<>) 0
									AND a.attcollation OPERATOR(pg_catalog.<>) 100
									THEN (SELECT pg_catalog.concat('collate ', n.identity) FROM pg_catalog.pg_identify_object(
									'pg_catalog.pg_collation'::pg_catalog.regclass, a.attcollation, 0) AS n) END),
								', ' ORDER BY a.attnum) FROM pg_catalog.pg_attribute AS a
								WHERE a.attrelid OPERATOR(pg_catalog.=) y.typrelid
								AND a.attnum OPERATOR(pg_catalog.>) 0 AND NOT a.attisdropped)
							WHEN y.typtype OPERATOR(pg_catalog.=) 'r' THEN (SELECT pg_catalog.concat('range of ', pg_catalog.format_type(g.rngsubtype, NULL))
								FROM pg_catalog.pg_range AS g WHERE g.rngtypid OPERATOR(pg_catalog.=) y.oid) END
							FROM pg_catalog.pg_type AS y WHERE y.oid OPERATOR(pg_catalog.=) o.objid) END
					FROM pg_catalog.pg_identify_object(o.classid, o.objid, 0) AS i
					WHERE o.relkind OPERATOR(pg_catalog.=) 'f'
						OR o.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_type'::pg_catalog.regclass
							AND EXISTS (SELECT FROM pg_catalog.pg_type AS y WHERE y.oid OPERATOR(pg_catalog.=) o.objid
							AND y.typtype OPERATOR(pg_catalog.<>) 'e')
						OR o.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_proc'::pg_catalog.regclass
							AND EXISTS (SELECT FROM pg_catalog.pg_proc AS p WHERE p.oid OPERATOR(pg_catalog.=) o.objid
							AND p.prokind OPERATOR(pg_catalog.=) 'a')
						OR o.classid OPERATOR(pg_catalog.<>) ALL (ARRAY['pg_catalog.pg_class'::pg_catalog.regclass,
							'pg_catalog.pg_type'::pg_catalog.regclass,
							'pg_catalog.pg_proc'::pg_catalog.regclass]::pg_catalog.oid[])
				) AS z
			) AS l
			OFFSET 0
		) AS j
		OFFSET 0
	) AS x
) AS t
