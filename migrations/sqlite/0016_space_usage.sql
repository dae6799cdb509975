-- Spaces are charged for files only, no longer for what is announced.
UPDATE storage_used SET bytes = bytes - (SELECT COALESCE(SUM(uploads.size), 0) FROM uploads
    WHERE uploads.space_id = storage_used.id AND uploads.file_id IS NULL)
WHERE scope = 'space';
