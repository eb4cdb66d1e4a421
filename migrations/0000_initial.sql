CREATE TABLE "api_keys" (
	"id" text PRIMARY KEY NOT NULL,
	"organization_id" text NOT NULL,
	"kind" text NOT NULL,
	"name" text NOT NULL,
	"label" text NOT NULL,
	"digest" "bytea" NOT NULL,
	"limit_nano" bigint,
	"disabled" boolean DEFAULT false NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp (3) with time zone,
	"deleted_at" timestamp (3) with time zone,
	"changed_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "api_keys_digest_unique" UNIQUE("digest"),
	CONSTRAINT "api_keys_kind" CHECK ("api_keys"."kind" in ('live', 'test', 'management')),
	CONSTRAINT "api_keys_digest" CHECK (octet_length("api_keys"."digest") = 32),
	CONSTRAINT "api_keys_limit" CHECK ("api_keys"."limit_nano" >= 0)
);
--> statement-breakpoint
CREATE TABLE "organizations" (
	"id" text PRIMARY KEY NOT NULL,
	"slug" text NOT NULL,
	"name" text NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "organizations_slug_unique" UNIQUE("slug")
);
--> statement-breakpoint
CREATE TABLE "budgets" (
	"id" text PRIMARY KEY NOT NULL,
	"organization_id" text NOT NULL,
	"limit_nano" bigint,
	"posted_nano" bigint NOT NULL,
	"leased_nano" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "grants" (
	"id" text PRIMARY KEY NOT NULL,
	"organization_id" text NOT NULL,
	"book" text NOT NULL,
	"amount" bigint NOT NULL,
	"reason" text NOT NULL,
	"transaction_id" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "grants_amount" CHECK ("grants"."amount" > 0)
);
--> statement-breakpoint
CREATE TABLE "leases" (
	"owner" text NOT NULL,
	"resource_id" text NOT NULL,
	"book" text NOT NULL,
	"organization_id" text NOT NULL,
	"amount" bigint NOT NULL,
	"epoch" bigint NOT NULL,
	CONSTRAINT "leases_owner_resource_id_pk" PRIMARY KEY("owner","resource_id"),
	CONSTRAINT "leases_amount" CHECK ("leases"."amount" >= 0)
);
--> statement-breakpoint
CREATE TABLE "ledger_accounts" (
	"id" text PRIMARY KEY NOT NULL,
	"kind" text NOT NULL,
	"organization_id" text,
	"book" text NOT NULL,
	"balance" bigint NOT NULL,
	CONSTRAINT "ledger_accounts_book" CHECK ("ledger_accounts"."book" IN ('live', 'test'))
);
--> statement-breakpoint
CREATE TABLE "ledger_entries" (
	"transaction_id" text NOT NULL,
	"account_id" text NOT NULL,
	"amount" bigint NOT NULL,
	CONSTRAINT "ledger_entries_transaction_id_account_id_pk" PRIMARY KEY("transaction_id","account_id")
);
--> statement-breakpoint
CREATE TABLE "ledger_transactions" (
	"id" text PRIMARY KEY NOT NULL,
	"kind" text NOT NULL,
	"book" text NOT NULL,
	"source" text NOT NULL,
	"source_id" text NOT NULL,
	"organization_id" text,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "usage_days" (
	"key_id" text NOT NULL,
	"day" date NOT NULL,
	"book" text NOT NULL,
	"organization_id" text NOT NULL,
	"cost_nano" bigint NOT NULL,
	"requests" integer NOT NULL,
	CONSTRAINT "usage_days_key_id_day_book_pk" PRIMARY KEY("key_id","day","book")
);
--> statement-breakpoint
CREATE TABLE "usage_records" (
	"id" text PRIMARY KEY NOT NULL,
	"request_id" text NOT NULL,
	"organization_id" text NOT NULL,
	"key_id" text NOT NULL,
	"book" text NOT NULL,
	"kind" text NOT NULL,
	"cost_nano" bigint NOT NULL,
	"leased_nano" bigint NOT NULL,
	"budget_leased_nano" bigint NOT NULL,
	"bad_debt_nano" bigint NOT NULL,
	"platform_cost_nano" bigint NOT NULL,
	"admitted_at" timestamp with time zone NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"transaction_id" text,
	"detail" text NOT NULL,
	CONSTRAINT "usage_records_kind" CHECK ("usage_records"."kind" IN ('outcome', 'swept', 'correction'))
);
--> statement-breakpoint
ALTER TABLE "api_keys" ADD CONSTRAINT "api_keys_organization_id_organizations_id_fk" FOREIGN KEY ("organization_id") REFERENCES "public"."organizations"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "api_keys_by_organization" ON "api_keys" USING btree ("organization_id","id" DESC NULLS LAST);--> statement-breakpoint
CREATE INDEX "api_keys_by_change" ON "api_keys" USING btree ("changed_at");--> statement-breakpoint
CREATE INDEX "grants_organization" ON "grants" USING btree ("organization_id","book");--> statement-breakpoint
CREATE UNIQUE INDEX "ledger_transactions_source" ON "ledger_transactions" USING btree ("source","source_id");--> statement-breakpoint
CREATE UNIQUE INDEX "usage_records_first" ON "usage_records" USING btree ("request_id") WHERE "usage_records"."kind" IN ('outcome', 'swept');--> statement-breakpoint
CREATE UNIQUE INDEX "usage_records_correction" ON "usage_records" USING btree ("request_id") WHERE "usage_records"."kind" = 'correction';