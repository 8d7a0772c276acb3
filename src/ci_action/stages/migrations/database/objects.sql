-- What a database contains beside the objects of the system and of extensions, in the order of removal:
-- the words of DROP, and the name.
WITH schemas AS (
    SELECT oid, nspname FROM pg_namespace
    WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'
), of_extensions AS (
    SELECT classid, objid FROM pg_depend WHERE deptype = 'e'
)
SELECT 1, 'EXTENSION', quote_ident(extname)
FROM pg_extension
WHERE extname <> 'plpgsql'
UNION ALL
SELECT 2, 'SCHEMA', quote_ident(nspname)
FROM schemas
WHERE nspname <> 'public'
UNION ALL
SELECT 3,
    CASE c.relkind
        WHEN 'v' THEN 'VIEW'
        WHEN 'm' THEN 'MATERIALIZED VIEW'
        WHEN 'S' THEN 'SEQUENCE'
        WHEN 'f' THEN 'FOREIGN TABLE'
        ELSE 'TABLE'
    END,
    format('%I.%I', s.nspname, c.relname)
FROM pg_class c
JOIN schemas s ON s.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f')
    AND ('pg_class'::regclass, c.oid) NOT IN (SELECT classid, objid FROM of_extensions)
UNION ALL
SELECT 4, 'ROUTINE', format('%I.%I(%s)', s.nspname, p.proname, pg_get_function_identity_arguments(p.oid))
FROM pg_proc p
JOIN schemas s ON s.oid = p.pronamespace
WHERE ('pg_proc'::regclass, p.oid) NOT IN (SELECT classid, objid FROM of_extensions)
UNION ALL
SELECT 5, 'TYPE', format('%I.%I', s.nspname, t.typname)
FROM pg_type t
JOIN schemas s ON s.oid = t.typnamespace
LEFT JOIN pg_class c ON c.oid = t.typrelid
WHERE t.typcategory <> 'A'
    AND coalesce(c.relkind, 'c') = 'c'
    AND ('pg_type'::regclass, t.oid) NOT IN (SELECT classid, objid FROM of_extensions)
ORDER BY 1, 3
