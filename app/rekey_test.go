package app

import (
	"bytes"
	"strings"
	"testing"

	"github.com/sitehooks/sitehooks/config"
	"github.com/sitehooks/sitehooks/models"
	"github.com/sitehooks/sitehooks/models/modelstest"
	"github.com/sitehooks/sitehooks/models/secret"
)

func TestRekeyCommand(t *testing.T) {
	for _, kind := range modelstest.Kinds() {
		t.Run(kind, func(t *testing.T) {
			o := modelstest.Options(t, kind)
			s := modelstest.Open(t, o)
			_, err := s.Webhooks.Create(t.Context(), operator, models.WebhookInput{
				Type: "generic", Name: "One", Location: models.MainLocation, Events: []string{"question.created"},
				TagMode: models.TagsAll, URL: "https://example.com/hook", URLShown: "https://example.com/hook",
			})
			if err != nil {
				t.Fatal(err)
			}
			s.Close()
			c := config.Config{DataDir: o.DataDir, DatabaseURL: o.DatabaseURL, SecretKeys: [][]byte{modelstest.Key()}}
			var out, log bytes.Buffer
			p := Process{Stdout: &out, Stderr: &log}
			err = rekeyCommand{}.Run(t.Context(), c, p)
			if err == nil || !strings.Contains(err.Error(), "there is only one key; set SITEHOOKS_SECRET_KEY=new,old") {
				t.Errorf("with one key: %v", err)
			}
			fresh := bytes.Repeat([]byte{9}, secret.KeySize)
			c.SecretKeys = [][]byte{fresh, modelstest.Key()}
			for _, want := range []string{"Resealed 1 webhook", "Resealed 0 webhooks"} {
				out.Reset()
				err = rekeyCommand{}.Run(t.Context(), c, p)
				if err != nil {
					t.Fatal(err)
				}
				if got := out.String(); !strings.HasPrefix(got, want+" with the first key.") || !strings.Contains(got, "Start every instance with both keys before you run this command.") {
					t.Errorf("it says %q, want %q", got, want)
				}
			}
			c.SecretKeys = [][]byte{fresh}
			err = migrateCommand{}.Run(t.Context(), c, p)
			if err != nil {
				t.Errorf("with the new key alone: %v", err)
			}
		})
	}
}
