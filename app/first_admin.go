package app

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/sitehooks/sitehooks/config"
	"github.com/sitehooks/sitehooks/handlers/passwords"
	"github.com/sitehooks/sitehooks/models"
)

// firstAdministrator makes the first member while there is none.
func firstAdministrator(ctx context.Context, store *models.Store, c config.Config, p Process) error {
	if n, err := store.Users.Count(ctx); err != nil || n > 0 {
		return err
	}
	user := models.User{Email: c.AdminEmail, Role: models.RoleAdministrator}
	password := c.AdminPassword
	if user.Email == "" {
		user.Email, user.Name, user.MustChangePassword = "admin@localhost", "Administrator", true
		password = strings.ToLower(rand.Text()[:16])
	}
	var err error
	if user.PasswordHash, err = passwords.Hash(password); err != nil {
		return fmt.Errorf("SITEHOOKS_ADMIN_PASSWORD: %w", err)
	}
	made, err := store.Users.CreateFirst(ctx, user)
	if err == nil && made && user.MustChangePassword {
		err = printPassword(ctx, p.Stderr, c.LogFormat, user.Email, password)
	}
	return err
}

// printPassword prints the first administrator's password, which is shown only
// at this start, at any log level: as a line for people, or as a line of the
// log where a program reads it.
func printPassword(ctx context.Context, w io.Writer, format, email, password string) error {
	if format == "json" {
		return slog.NewJSONHandler(w, nil).Handle(ctx, passwordRecord(email, password))
	}
	_, err := fmt.Fprintf(w, "First administrator: %s  one-time password: %s\n", email, password)
	return err
}

func passwordRecord(email, password string) slog.Record {
	r := slog.NewRecord(time.Now(), slog.LevelInfo, "first administrator", 0)
	r.AddAttrs(slog.String("email", email), slog.String("one_time_password", password))
	return r
}
