-- For lists by number of plays, and for an item's plays over all accounts, which order the search results.
CREATE INDEX marks_by_count ON marks (account_id, kind, play_count, played_at, item_id);
CREATE INDEX marks_by_item ON marks (kind, item_id, play_count);
