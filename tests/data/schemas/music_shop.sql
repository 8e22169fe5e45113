-- A music shop for SQLite, in the shape of a well-known sample
PRAGMA foreign_keys = ON;
BEGIN TRANSACTION;

CREATE TABLE [Artist]
(
    [ArtistId] INTEGER NOT NULL,
    [Name] NVARCHAR(120),
    CONSTRAINT [PK_Artist] PRIMARY KEY ([ArtistId])
);

CREATE TABLE [Album]
(
    [AlbumId] INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    [Title] NVARCHAR(160) NOT NULL,
    [ArtistId] INTEGER NOT NULL,
    FOREIGN KEY ([ArtistId]) REFERENCES [Artist] ([ArtistId])
                ON DELETE NO ACTION ON UPDATE NO ACTION
);

CREATE TABLE "Employee"
(
    "EmployeeId" INTEGER NOT NULL PRIMARY KEY,
    "LastName" NVARCHAR(20) NOT NULL,
    "FirstName" NVARCHAR(20) NOT NULL,
    "Title" NVARCHAR(30),
    "ReportsTo" INTEGER REFERENCES "Employee" ("EmployeeId"),
    "BirthDate" DATETIME,
    "Email" NVARCHAR(60)
);

CREATE TABLE "Customer"
(
    "CustomerId" INTEGER PRIMARY KEY,
    "FirstName" NVARCHAR(40) NOT NULL,
    "LastName" NVARCHAR(20) NOT NULL,
    "Email" NVARCHAR(60) NOT NULL UNIQUE COLLATE NOCASE,
    "SupportRepId" INTEGER,
    FOREIGN KEY ("SupportRepId") REFERENCES "Employee" ("EmployeeId")
);

CREATE TABLE "Genre" ("GenreId" INTEGER PRIMARY KEY, "Name" NVARCHAR(120) UNIQUE) STRICT;
CREATE TABLE MediaType (MediaTypeId INTEGER PRIMARY KEY, Name TEXT) WITHOUT ROWID, STRICT;

CREATE TABLE "Track"
(
    "TrackId" INTEGER PRIMARY KEY,
    "Name" NVARCHAR(200) NOT NULL,
    "AlbumId" INTEGER,
    "MediaTypeId" INTEGER NOT NULL,
    "GenreId" INTEGER,
    "Composer" NVARCHAR(220),
    "Milliseconds" INTEGER NOT NULL CHECK ("Milliseconds" > 0),
    "Bytes" INTEGER,
    "UnitPrice" NUMERIC(10,2) NOT NULL DEFAULT 0.99,
    "Rating" ,
    FOREIGN KEY ("AlbumId") REFERENCES "Album" ("AlbumId"),
    FOREIGN KEY ("GenreId") REFERENCES "Genre" ("GenreId"),
    FOREIGN KEY ("MediaTypeId") REFERENCES "MediaType" ("MediaTypeId")
);

CREATE TABLE "Invoice"
(
    "InvoiceId" INTEGER PRIMARY KEY,
    "CustomerId" INTEGER NOT NULL REFERENCES "Customer" ON DELETE CASCADE,
    "InvoiceDate" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "BillingCountry" NVARCHAR(40),
    "Total" NUMERIC(10,2) NOT NULL CHECK (Total >= 0)
);

CREATE TABLE "InvoiceLine"
(
    "InvoiceLineId" INTEGER PRIMARY KEY,
    "InvoiceId" INTEGER NOT NULL REFERENCES "Invoice" ("InvoiceId") ON DELETE CASCADE,
    "TrackId" INTEGER NOT NULL REFERENCES "Track" ("TrackId"),
    "UnitPrice" NUMERIC(10,2) NOT NULL,
    "Quantity" INTEGER NOT NULL DEFAULT 1 CHECK ("Quantity" BETWEEN 1 AND 99),
    "LineTotal" NUMERIC(10,2) GENERATED ALWAYS AS ("UnitPrice" * "Quantity") STORED
);

CREATE TABLE "Playlist" ("PlaylistId" INTEGER PRIMARY KEY, "Name" NVARCHAR(120));
CREATE TABLE "PlaylistTrack"
(
    "PlaylistId" INTEGER NOT NULL,
    "TrackId" INTEGER NOT NULL,
    CONSTRAINT "PK_PlaylistTrack" PRIMARY KEY ("PlaylistId", "TrackId"),
    FOREIGN KEY ("PlaylistId") REFERENCES "Playlist" ("PlaylistId") ON DELETE CASCADE,
    FOREIGN KEY ("TrackId") REFERENCES "Track" ("TrackId") ON DELETE CASCADE
);

CREATE INDEX "IFK_AlbumArtistId" ON "Album" ("ArtistId");
CREATE INDEX "TrackName" ON "Track" ("Name");
CREATE UNIQUE INDEX "CustomerName" ON "Customer" ("LastName", "FirstName");
CREATE INDEX "LowerName" ON "Artist" (lower("Name"));

CREATE TRIGGER "InvoiceTotal" AFTER INSERT ON "InvoiceLine"
BEGIN
    UPDATE "Invoice" SET "Total" = "Total" + NEW."UnitPrice" * NEW."Quantity" WHERE "InvoiceId" = NEW."InvoiceId";
    SELECT CASE WHEN NEW."Quantity" < 1 THEN RAISE(ABORT, 'no; quantity') END;
END;

INSERT INTO "Genre" VALUES (1, 'Rock; Roll');
INSERT INTO "Genre" VALUES (2, 'It''s jazz');
COMMIT;
