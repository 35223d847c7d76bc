-- What a store calls the content of an object that was read (its entity tag); NULL for files in folders, whose time of change says
-- whether they are as they were.
ALTER TABLE files ADD COLUMN etag TEXT;
