CREATE TABLE "idempotency_records" (
	"id" "bytea" PRIMARY KEY NOT NULL,
	"request_id" text NOT NULL,
	"owner" text NOT NULL,
	"fingerprint" "bytea" NOT NULL,
	"state" text NOT NULL,
	"answer" "bytea",
	"claimed_at" timestamp (3) with time zone NOT NULL,
	"expires_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "idempotency_records_id" CHECK (octet_length("idempotency_records"."id") = 32),
	CONSTRAINT "idempotency_records_fingerprint" CHECK (octet_length("idempotency_records"."fingerprint") = 32),
	CONSTRAINT "idempotency_records_state" CHECK ("idempotency_records"."state" in ('claimed', 'kept', 'interrupted', 'left', 'too_large')),
	CONSTRAINT "idempotency_records_answer" CHECK (("idempotency_records"."answer" is not null) = ("idempotency_records"."state" = 'kept'))
);
--> statement-breakpoint
CREATE INDEX "idempotency_records_by_end" ON "idempotency_records" USING btree ("expires_at");--> statement-breakpoint
CREATE INDEX "idempotency_records_open" ON "idempotency_records" USING btree ("owner") WHERE "idempotency_records"."state" = 'claimed';