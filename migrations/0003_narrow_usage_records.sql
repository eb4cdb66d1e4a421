-- A record is named by its request and by whether it is a correction: one index instead of three, and of the id
-- `req_x:0:outcome` only the attempt is left. The column changes its type and then its name, so that the table is
-- rewritten once, and nothing of a record is lost.
DROP INDEX "usage_records_first";--> statement-breakpoint
DROP INDEX "usage_records_correction";--> statement-breakpoint
ALTER TABLE "usage_records" DROP CONSTRAINT "usage_records_pkey";--> statement-breakpoint
ALTER TABLE "usage_records" ALTER COLUMN "id" SET DATA TYPE integer USING substring("id" FROM ':([0-9]+):[a-z]+$')::integer;--> statement-breakpoint
ALTER TABLE "usage_records" RENAME COLUMN "id" TO "attempt";--> statement-breakpoint
CREATE UNIQUE INDEX "usage_records_request" ON "usage_records" USING btree ("request_id",("kind" = 'correction'));
