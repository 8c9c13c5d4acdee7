// Package modelstest gives a test a real PostgreSQL of its own, and stores on
// both databases.
//
// It promises: a server that belongs to this test process alone, started on
// first use on a free port of 127.0.0.1 with its files in a temporary folder;
// a fresh database for each test; and that both are gone when the process is,
// even when it was killed. A test never skips: when PostgreSQL is missing it
// fails and names the command that installs it.
//
// Only the stores know the schema; a test that asks for a bare PostgreSQL
// database brings the migrations.
package modelstest
