-- For ../userland.py: rows made by a generator, in one transaction; indexes; joins, groups, text, changes.
CREATE TABLE customer(id INTEGER PRIMARY KEY, name TEXT, city INTEGER);
CREATE TABLE sale(id INTEGER PRIMARY KEY, customer INTEGER, item INTEGER, amount INTEGER, note TEXT);
BEGIN;
WITH RECURSIVE r(i, x) AS (SELECT 1, 1 UNION ALL
    SELECT i + 1, (x * 1103515245 + 12345) & 2147483647 FROM r WHERE i < 5000)
INSERT INTO customer SELECT i, printf('customer %x of %d', x, i % 97), (x >> 8) % 97 FROM r;
WITH RECURSIVE r(i, x) AS (SELECT 1, 7 UNION ALL
    SELECT i + 1, (x * 1103515245 + 12345) & 2147483647 FROM r WHERE i < 120000)
INSERT INTO sale SELECT i, 1 + (x >> 8) % 5000, (x >> 12) % 300, (x >> 4) % 10000, hex(x) || '-' || (i % 13) FROM r;
COMMIT;
CREATE INDEX sale_customer ON sale(customer);
CREATE INDEX sale_item ON sale(item, amount);
SELECT count(*), sum(amount), max(note) FROM sale;
SELECT c.city, count(*), sum(s.amount) FROM sale s JOIN customer c ON c.id = s.customer
    GROUP BY c.city ORDER BY 3 DESC, 1 LIMIT 5;
SELECT c.name, sum(s.amount) AS total FROM customer c JOIN sale s ON s.customer = c.id
    WHERE s.item < 40 GROUP BY c.id ORDER BY total DESC, c.name LIMIT 5;
SELECT count(*) FROM sale a JOIN sale b ON b.item = a.item AND b.amount = a.amount AND b.id > a.id;
SELECT count(*), sum(length(note)) FROM sale WHERE note LIKE '%39%37%';
BEGIN;
UPDATE sale SET amount = amount + 1, note = upper(substr(note, 2)) WHERE item % 3 = 0;
DELETE FROM sale WHERE customer % 10 = 3;
COMMIT;
SELECT count(*), sum(amount), min(note) FROM sale;
