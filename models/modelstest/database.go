package modelstest

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
)

var (
	// shared is the server of this process. Nobody stops it: its lifeline does.
	shared = sync.OnceValues(newServer)
	// template holds the outcome of the first prepare.
	template struct {
		once sync.Once
		err  error
	}
	databases atomic.Int64
)

const templateName = "template_sitehooks"

// PostgresURL gives a test an empty database of its own, dropped when the test
// ends. The test fails when PostgreSQL is missing or does not start.
func PostgresURL(t testing.TB) string {
	t.Helper()
	return database(t, "template1")
}

// PostgresURLFromTemplate gives a test a copy of the database that prepare
// filled, which takes about 40 ms however long the migrations are. Prepare runs
// once in a test process, whichever test comes first, so every caller in a
// package has to pass the same one; it closes its connections before it
// returns. When it fails, so do all tests that ask for a copy.
func PostgresURLFromTemplate(t testing.TB, prepare func(url string) error) string {
	t.Helper()
	s, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	template.once.Do(func() { template.err = s.prepareTemplate(prepare) })
	if template.err != nil {
		t.Fatalf("prepare the template database: %v", template.err)
	}
	return database(t, templateName)
}

// prepareTemplate closes the template to connections afterwards: a copy can be
// made only while no connection uses it.
func (s *Server) prepareTemplate(prepare func(url string) error) error {
	ctx := context.Background()
	if err := s.admin(ctx, "CREATE DATABASE "+templateName); err != nil {
		return err
	}
	if err := prepare(s.URL(templateName)); err != nil {
		return err
	}
	return s.admin(ctx, "ALTER DATABASE "+templateName+" ALLOW_CONNECTIONS false")
}

func database(t testing.TB, template string) string {
	t.Helper()
	s, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	name := fmt.Sprintf("test_%d", databases.Add(1))
	if err := s.admin(t.Context(), "CREATE DATABASE "+name+" TEMPLATE "+template); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		// Forced: a test that leaves a connection open must not keep the disk.
		// By now the test's own context is done.
		if err := s.admin(context.Background(), "DROP DATABASE "+name+" WITH (FORCE)"); err != nil {
			t.Logf("drop the test's database: %v", err)
		}
	})
	return s.URL(name)
}

// admin runs one statement on a connection of its own, outside a transaction,
// as CREATE and DROP DATABASE ask.
func (s *Server) admin(ctx context.Context, statement string) error {
	conn, err := pgx.Connect(ctx, s.URL("postgres"))
	if err != nil {
		return err
	}
	if _, err := conn.Exec(ctx, statement); err != nil {
		_ = conn.Close(ctx)
		return fmt.Errorf("%s: %w", statement, err)
	}
	return conn.Close(ctx)
}
