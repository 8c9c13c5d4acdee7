package config

import (
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net/mail"
	"net/netip"
	"net/url"
	"os"
	"reflect"
	"strings"
	"testing"
)

var (
	keyA = base64.StdEncoding.EncodeToString([]byte(strings.Repeat("a", 32)))
	keyB = base64.StdEncoding.EncodeToString([]byte(strings.Repeat("b", 32)))
)

func TestDefaults(t *testing.T) {
	// Another address in the process's own environment must not be seen.
	t.Setenv("SITEHOOKS_ADDR", "0.0.0.0:1")
	for name, environ := range map[string][]string{
		"nothing set":   nil,
		"all set empty": {"SITEHOOKS_ADDR=", "SITEHOOKS_DATA_DIR=", "SITEHOOKS_ROLE=", "SITEHOOKS_LOG_FORMAT=", "SITEHOOKS_LOG_LEVEL=", "DATABASE_URL=", "SITEHOOKS_SECRET_KEY="},
	} {
		c, err := Load(environ)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got := c.BaseURL.String(); got != "http://127.0.0.1:8080" {
			t.Errorf("%s: base URL %s", name, got)
		}
		c.BaseURL = nil
		want := Config{Addr: "127.0.0.1:8080", DataDir: "./data", Role: RoleAll, LogFormat: "text", LogLevel: slog.LevelInfo}
		if !reflect.DeepEqual(c, want) {
			t.Errorf("%s:\n got %+v\nwant %+v", name, fields(c), fields(want))
		}
	}
}

// fields defeats Config's own String.
func fields(c Config) any {
	type plain Config
	return plain(c)
}

func TestEverythingSet(t *testing.T) {
	c, err := Load([]string{
		"PATH=/bin", "malformed",
		"SITEHOOKS_ADDR=[::]:9000",
		"SITEHOOKS_BASE_URL=https://Hooks.Example.com/",
		"SITEHOOKS_TRUSTED_PROXIES=10.1.2.3/8, 192.0.2.7",
		"SITEHOOKS_DATA_DIR=/var/lib/sitehooks",
		"DATABASE_URL=postgresql://u:p%40ss=w@db:5432/s?sslmode=disable",
		"SITEHOOKS_SECRET_KEY=" + keyA + ", " + keyB,
		"SITEHOOKS_ADMIN_EMAIL=Admin@Localhost",
		"SITEHOOKS_ADMIN_PASSWORD=pässwörd",
		"SITEHOOKS_INGEST_TOKEN=t0ken-of-the-test",
		"SITEHOOKS_ALLOW_TARGETS=127.0.0.0/8,10.1.2.3/32,hooks.internal",
		"SITEHOOKS_PROXY=http://out:of-the-pr0xy@proxy.internal:3128/",
		"SITEHOOKS_SMTP_URL=smtps://hooks:of-the-m%40il@mail.example.com/",
		"SITEHOOKS_MAIL_FROM=Site Hooks <hooks@example.com>",
		"SITEHOOKS_ROLE=jobs",
		"SITEHOOKS_OIDC_ISSUER=https://id.example.com/realms/x",
		"SITEHOOKS_OIDC_CLIENT_ID=sitehooks",
		"SITEHOOKS_OIDC_CLIENT_SECRET=hush",
		"SITEHOOKS_LOG_FORMAT=json",
		"SITEHOOKS_LOG_LEVEL=WARN",
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := c.BaseURL.String(); got != "https://hooks.example.com" {
		t.Errorf("base URL %s", got)
	}
	c.BaseURL = nil
	want := Config{
		Addr:           "[::]:9000",
		TrustedProxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("192.0.2.7/32")},
		DataDir:        "/var/lib/sitehooks",
		DatabaseURL:    "postgresql://u:p%40ss=w@db:5432/s?sslmode=disable",
		SecretKeys:     [][]byte{[]byte(strings.Repeat("a", 32)), []byte(strings.Repeat("b", 32))},
		AdminEmail:     "Admin@Localhost", AdminPassword: "pässwörd",
		IngestToken: "t0ken-of-the-test",
		AllowCIDRs:  []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("10.1.2.3/32")},
		AllowHosts:  []string{"hooks.internal"},
		Proxy:       &url.URL{Scheme: "http", User: url.UserPassword("out", "of-the-pr0xy"), Host: "proxy.internal:3128"},
		Mail: &Mail{
			Host: "mail.example.com", TLS: true, User: "hooks", Password: "of-the-m@il",
			From: &mail.Address{Name: "Site Hooks", Address: "hooks@example.com"},
		},
		Role:       RoleJobs,
		OIDCIssuer: "https://id.example.com/realms/x", OIDCClientID: "sitehooks", OIDCClientSecret: "hush",
		LogFormat: "json", LogLevel: slog.LevelWarn,
	}
	if !reflect.DeepEqual(c, want) {
		t.Errorf("\n got %+v\nwant %+v", fields(c), fields(want))
	}
	for _, text := range []string{fmt.Sprint(c), fmt.Sprintf("%+v %#v", c, &c), c.LogValue().String()} {
		for _, secret := range []string{"hush", "t0ken-of-the-test", "of-the-"} {
			if strings.Contains(text, secret) {
				t.Errorf("a secret shows in %q", text)
			}
		}
	}
}

func TestBaseURLFollowsAddr(t *testing.T) {
	for addr, want := range map[string]string{
		"0.0.0.0:8080":   "http://localhost:8080",
		"[::]:8080":      "http://localhost:8080",
		":8080":          "http://localhost:8080",
		"[::1]:8080":     "http://[::1]:8080",
		"localhost:0":    "http://localhost:0",
		"10.20.30.40:80": "http://10.20.30.40:80",
	} {
		c, err := Load([]string{"SITEHOOKS_ADDR=" + addr})
		if err != nil {
			t.Errorf("%s: %v", addr, err)
		} else if got := c.BaseURL.String(); got != want {
			t.Errorf("%s: base URL %s, want %s", addr, got, want)
		}
	}
}

func TestRight(t *testing.T) {
	for _, environ := range [][]string{
		{"SITEHOOKS_ALLOW_TARGETS=localhost,my_receiver,Hooks.Internal."},
		{"SITEHOOKS_ALLOW_TARGETS=10.0.0.0/8,fd12:3456:789a::/48,::1,fd12:3456::/32,::ffff:10.0.0.0/104,64:ff9b::7f00:0/104"},
		{"SITEHOOKS_ALLOW_TARGETS= , "},
		{"SITEHOOKS_TRUSTED_PROXIES=0.0.0.0/0,fd00::/8"},
		{"SITEHOOKS_BASE_URL=http://[::1]:8080"},
		{"SITEHOOKS_SECRET_KEY=" + keyA},
		{"DATABASE_URL=postgres://u@h1:5432,h2:5432/db?target_session_attrs=read-write", "SITEHOOKS_SECRET_KEY=" + keyA},
		{"DATABASE_URL=postgres:///db?host=/run/postgresql", "SITEHOOKS_SECRET_KEY=" + keyA},
		{"SITEHOOKS_PROXY=https://[::1]:3128"},
		{"SITEHOOKS_SMTP_URL=smtp://10.1.2.3:25", "SITEHOOKS_MAIL_FROM=hooks@localhost"},
		{"SITEHOOKS_ROLE=web", "SITEHOOKS_LOG_LEVEL=debug"},
		{"SITEHOOKS_LOG_LEVEL=error"},
		{"SITEHOOKS_OIDC_ISSUER=http://127.0.0.1:9/", "SITEHOOKS_OIDC_CLIENT_ID=a", "SITEHOOKS_OIDC_CLIENT_SECRET=b"},
	} {
		if _, err := Load(environ); err != nil {
			t.Errorf("%q: %v", environ, err)
		}
	}
}

// TestWrong sets one thing wrong and expects the one line about it.
func TestWrong(t *testing.T) {
	const hidden = "s3cr3t"
	postgres, mailFrom := "SITEHOOKS_SECRET_KEY="+keyA, "SITEHOOKS_MAIL_FROM=hooks@example.com"
	for _, tc := range []struct {
		variable string
		environ  []string
		says     string
	}{
		{"SITEHOOKS_ADDR", []string{"SITEHOOKS_ADDR=8080"}, "host:port"},
		{"SITEHOOKS_ADDR", []string{"SITEHOOKS_ADDR=::1:8080"}, "host:port"},
		{"SITEHOOKS_ADDR", []string{"SITEHOOKS_ADDR=localhost:http"}, "port"},
		{"SITEHOOKS_ADDR", []string{"SITEHOOKS_ADDR=localhost:70000"}, "port"},
		{"SITEHOOKS_ADDR", []string{"SITEHOOKS_ADDR=local host:80"}, "host name"},
		{"SITEHOOKS_BASE_URL", []string{"SITEHOOKS_BASE_URL=hooks.example.com"}, "http://"},
		{"SITEHOOKS_BASE_URL", []string{"SITEHOOKS_BASE_URL=ftp://hooks.example.com"}, "http://"},
		{"SITEHOOKS_BASE_URL", []string{"SITEHOOKS_BASE_URL=https://"}, "has a host"},
		{"SITEHOOKS_BASE_URL", []string{"SITEHOOKS_BASE_URL=https://x.example/path"}, "after the host"},
		{"SITEHOOKS_BASE_URL", []string{"SITEHOOKS_BASE_URL=https://x.example/?a"}, "after the host"},
		{"SITEHOOKS_BASE_URL", []string{"SITEHOOKS_BASE_URL=https://x.example/#"}, "after the host"},
		{"SITEHOOKS_BASE_URL", []string{"SITEHOOKS_BASE_URL=https://x.example:0"}, "port"},
		{"SITEHOOKS_BASE_URL", []string{"SITEHOOKS_BASE_URL=https://u:s3cr3t@x.example"}, "password"},
		{"SITEHOOKS_TRUSTED_PROXIES", []string{"SITEHOOKS_TRUSTED_PROXIES=10.0.0.0/8,proxy"}, `"proxy"`},
		{"SITEHOOKS_TRUSTED_PROXIES", []string{"SITEHOOKS_TRUSTED_PROXIES=fe80::1%eth0"}, "range"},
		{"DATABASE_URL", []string{"DATABASE_URL=mysql://u:s3cr3t@db/s", postgres}, "postgres://"},
		{"DATABASE_URL", []string{"DATABASE_URL=host=db password=s3cr3t", postgres}, "postgres://"},
		{"DATABASE_URL", []string{"DATABASE_URL=postgres://u:s3cr3t#x@db/s", postgres}, "%23"},
		{"DATABASE_URL", []string{"DATABASE_URL=postgres://u:s3%zzcr3t@db/s", postgres}, "%25"},
		{"DATABASE_URL", []string{"DATABASE_URL=postgres:///s?password=s3cr3t", postgres}, "has no host"},
		{"DATABASE_URL", []string{"DATABASE_URL=postgres://u:s3cr3t@db/s?sslmode=on", postgres}, "sslmode"},
		{"DATABASE_URL", []string{"DATABASE_URL=postgres://u:s3cr3t@db/s?connect_timeout=soon", postgres}, "driver"},
		{"DATABASE_URL", []string{"DATABASE_URL=postgres://u:s3cr3t@db/s#x", postgres}, "%23"},
		{"DATABASE_URL", []string{"DATABASE_URL=postgres://u:s3cr3t@db/s?pool_max_conns=many", postgres}, "sslmode=require&pool_max_conns=20"},
		{"DATABASE_URL", []string{"DATABASE_URL=postgres://u:s3cr3t@db/s?pool_max_conns=4", postgres}, "at least 5"},
		{"DATABASE_URL", []string{"DATABASE_URL=postgres://u:s3cr3t@db/s?pool_max_conns=9999999999", postgres}, "at least 5"},
		{"DATABASE_URL", []string{"DATABASE_URL=postgres://u:s3cr3t@db/s?default_query_exec_mode=fast", postgres}, "sslmode=require&default_query_exec_mode=exec"},
		{"DATABASE_URL", []string{"DATABASE_URL=postgres://u:s3cr3t@db/s?pool_min_conns=x", postgres}, "driver"},
		{"SITEHOOKS_SECRET_KEY", []string{"DATABASE_URL=postgres://u:s3cr3t@db/s"}, "not set"},
		{"SITEHOOKS_SECRET_KEY", []string{"SITEHOOKS_SECRET_KEY=s3cr3t"}, "key 1 is not standard base64"},
		{"SITEHOOKS_SECRET_KEY", []string{"SITEHOOKS_SECRET_KEY=" + keyA + ","}, "key 2 is 0 bytes"},
		{"SITEHOOKS_SECRET_KEY", []string{"SITEHOOKS_SECRET_KEY=" + keyA + ",s3cr3ts3cr3ts3cr3tsA=="}, "key 2 is"},
		{"SITEHOOKS_SECRET_KEY", []string{"SITEHOOKS_SECRET_KEY=" + strings.TrimRight(keyA, "=")}, "base64"},
		{"SITEHOOKS_ADMIN_EMAIL", []string{"SITEHOOKS_ADMIN_PASSWORD=s3cr3t-and-long"}, "both or neither"},
		{"SITEHOOKS_ADMIN_PASSWORD", []string{"SITEHOOKS_ADMIN_EMAIL=a@b"}, "both or neither"},
		{"SITEHOOKS_ADMIN_PASSWORD", []string{"SITEHOOKS_ADMIN_EMAIL=a@b", "SITEHOOKS_ADMIN_PASSWORD=s3cr3t"}, "8 characters"},
		{"SITEHOOKS_ADMIN_PASSWORD", []string{"SITEHOOKS_ADMIN_EMAIL=a@b", "SITEHOOKS_ADMIN_PASSWORD=s3cr3t" + strings.Repeat("x", 1019)}, "1024 bytes"},
		{"SITEHOOKS_ADMIN_EMAIL", []string{"SITEHOOKS_ADMIN_EMAIL=A <a@b>", "SITEHOOKS_ADMIN_PASSWORD=s3cr3t12"}, "e-mail"},
		{"SITEHOOKS_INGEST_TOKEN", []string{"SITEHOOKS_INGEST_TOKEN=s3cr3t "}, "header"},
		{"SITEHOOKS_INGEST_TOKEN", []string{"SITEHOOKS_INGEST_TOKEN=s3cr3té"}, "header"},
		{"SITEHOOKS_INGEST_TOKEN", []string{"SITEHOOKS_INGEST_TOKEN=s"}, "16 characters"},
		{"SITEHOOKS_INGEST_TOKEN", []string{"SITEHOOKS_INGEST_TOKEN=s3cr3t-15-chars"}, "16 characters"},
		{"SITEHOOKS_ALLOW_TARGETS", []string{"SITEHOOKS_ALLOW_TARGETS=10.0.0.0/7"}, "wider than /8"},
		{"SITEHOOKS_ALLOW_TARGETS", []string{"SITEHOOKS_ALLOW_TARGETS=0.0.0.0/0"}, "wider than /8"},
		{"SITEHOOKS_ALLOW_TARGETS", []string{"SITEHOOKS_ALLOW_TARGETS=::ffff:0:0/96"}, "wider than /8"},
		{"SITEHOOKS_ALLOW_TARGETS", []string{"SITEHOOKS_ALLOW_TARGETS=fc00::/7"}, "wider than /32"},
		{"SITEHOOKS_ALLOW_TARGETS", []string{"SITEHOOKS_ALLOW_TARGETS=fd00::/8"}, "wider than /32"},
		{"SITEHOOKS_ALLOW_TARGETS", []string{"SITEHOOKS_ALLOW_TARGETS=64:ff9b::/96"}, "IPv4"},
		{"SITEHOOKS_ALLOW_TARGETS", []string{"SITEHOOKS_ALLOW_TARGETS=::/32"}, "IPv4"},
		{"SITEHOOKS_ALLOW_TARGETS", []string{"SITEHOOKS_ALLOW_TARGETS=http://hooks.internal"}, "host name"},
		{"SITEHOOKS_ALLOW_TARGETS", []string{"SITEHOOKS_ALLOW_TARGETS=hooks.internal:8080"}, "host name"},
		{"SITEHOOKS_ALLOW_TARGETS", []string{"SITEHOOKS_ALLOW_TARGETS=*.internal"}, "wildcard"},
		{"SITEHOOKS_ALLOW_TARGETS", []string{"SITEHOOKS_ALLOW_TARGETS=10.1"}, "host name"},
		{"SITEHOOKS_ALLOW_TARGETS", []string{"SITEHOOKS_ALLOW_TARGETS=0x7f.0x1"}, "host name"},
		{"SITEHOOKS_ALLOW_TARGETS", []string{"SITEHOOKS_ALLOW_TARGETS=höoks.internal"}, "xn--"},
		{"SITEHOOKS_ALLOW_TARGETS", []string{"SITEHOOKS_ALLOW_TARGETS=-hooks.internal"}, "host name"},
		{"SITEHOOKS_ALLOW_TARGETS", []string{"SITEHOOKS_ALLOW_TARGETS=" + strings.Repeat("x.", 126) + "xx"}, "host name"},
		{"SITEHOOKS_PROXY", []string{"SITEHOOKS_PROXY=proxy.internal:3128"}, "starts with http:// or https://"},
		{"SITEHOOKS_PROXY", []string{"SITEHOOKS_PROXY=socks5://u:s3cr3t@proxy.internal"}, "starts with http:// or https://"},
		{"SITEHOOKS_PROXY", []string{"SITEHOOKS_PROXY=http://u:s3%zzcr3t@proxy.internal"}, "is not a URL"},
		{"SITEHOOKS_PROXY", []string{"SITEHOOKS_PROXY=http://"}, "has a host"},
		{"SITEHOOKS_PROXY", []string{"SITEHOOKS_PROXY=http://u:s3cr3t@proxy.internal/path"}, "after the host and port"},
		{"SITEHOOKS_PROXY", []string{"SITEHOOKS_PROXY=http://proxy.internal/?a=1"}, "after the host and port"},
		{"SITEHOOKS_PROXY", []string{"SITEHOOKS_PROXY=http://proxy.internal#"}, "after the host and port"},
		{"SITEHOOKS_PROXY", []string{"SITEHOOKS_PROXY=http://proxy.internal:65536"}, "from 1 to 65535"},
		{"SITEHOOKS_SMTP_URL", []string{"SITEHOOKS_MAIL_FROM=hooks@example.com"}, "SITEHOOKS_MAIL_FROM is set; set both or neither"},
		{"SITEHOOKS_SMTP_URL", []string{"SITEHOOKS_SMTP_URL=mail.example.com:587", mailFrom}, "smtp:// or smtps://"},
		{"SITEHOOKS_SMTP_URL", []string{"SITEHOOKS_SMTP_URL=http://u:s3cr3t@mail.example.com", mailFrom}, "smtp:// or smtps://"},
		{"SITEHOOKS_SMTP_URL", []string{"SITEHOOKS_SMTP_URL=smtp://u:s3cr3t/x@mail.example.com", mailFrom}, "%2F for /"},
		{"SITEHOOKS_SMTP_URL", []string{"SITEHOOKS_SMTP_URL=smtp://u:s3cr3t@mail.example.com/?tls=1", mailFrom}, "after the host and port"},
		{"SITEHOOKS_SMTP_URL", []string{"SITEHOOKS_SMTP_URL=smtp://mail.example.com#", mailFrom}, "after the host and port"},
		{"SITEHOOKS_SMTP_URL", []string{"SITEHOOKS_SMTP_URL=smtp://u:s3cr3t@mail.example.com:0", mailFrom}, "from 1 to 65535"},
		{"SITEHOOKS_MAIL_FROM", []string{"SITEHOOKS_SMTP_URL=smtp://u:s3cr3t@mail.example.com"}, "SITEHOOKS_SMTP_URL is set; set both or neither"},
		{"SITEHOOKS_MAIL_FROM", []string{"SITEHOOKS_SMTP_URL=smtp://mail.example.com", "SITEHOOKS_MAIL_FROM=Sitehooks"}, `is "Sitehooks", which is not an e-mail address`},
		{"SITEHOOKS_MAIL_FROM", []string{"SITEHOOKS_SMTP_URL=smtp://mail.example.com", mailFrom + "\r\n (x)"}, "is not an e-mail address"},
		{"SITEHOOKS_MAIL_FROM", []string{"SITEHOOKS_SMTP_URL=smtp://mail.example.com", "SITEHOOKS_MAIL_FROM=" + strings.Repeat("y", 70)}, strings.Repeat("y", 60) + `…"`},
		{"SITEHOOKS_ROLE", []string{"SITEHOOKS_ROLE=worker"}, "all, web or jobs"},
		{"SITEHOOKS_OIDC_ISSUER", []string{"SITEHOOKS_OIDC_CLIENT_ID=a", "SITEHOOKS_OIDC_CLIENT_SECRET=s3cr3t"}, "all three"},
		{"SITEHOOKS_OIDC_CLIENT_SECRET", []string{"SITEHOOKS_OIDC_ISSUER=https://id.example", "SITEHOOKS_OIDC_CLIENT_ID=a"}, "all three"},
		{"SITEHOOKS_OIDC_ISSUER", []string{"SITEHOOKS_OIDC_ISSUER=id.example", "SITEHOOKS_OIDC_CLIENT_ID=a", "SITEHOOKS_OIDC_CLIENT_SECRET=s3cr3t"}, "http"},
		{"SITEHOOKS_LOG_FORMAT", []string{"SITEHOOKS_LOG_FORMAT=xml"}, "text or json"},
		{"SITEHOOKS_LOG_LEVEL", []string{"SITEHOOKS_LOG_LEVEL=loud\nand clear"}, "debug, info"},
	} {
		c, err := Load(tc.environ)
		var faults Faults
		if !errors.As(err, &faults) || len(faults) != 1 {
			t.Errorf("%q: want one fault, got %v", tc.environ, err)
			continue
		}
		line := faults[0].Error()
		if faults[0].Variable != tc.variable || !strings.HasPrefix(line, tc.variable+" ") || !strings.Contains(line, tc.says) {
			t.Errorf("%q: %s", tc.environ, line)
		}
		if !strings.Contains(line, "; for example "+tc.variable+"=") || strings.Contains(line, "\n") {
			t.Errorf("%q: not one line with an example: %q", tc.environ, line)
		}
		for _, secret := range []string{hidden, "s3", keyA} {
			if strings.Contains(line, secret) {
				t.Errorf("%q: repeats a secret: %s", tc.environ, line)
			}
		}
		if !reflect.DeepEqual(c, Config{}) {
			t.Errorf("%q: returned a configuration beside the fault", tc.environ)
		}
	}
}

// TestExamplesAreRight: each example in a fault is accepted.
func TestExamplesAreRight(t *testing.T) {
	var environ []string
	for _, name := range []string{
		"SITEHOOKS_ADDR", "SITEHOOKS_BASE_URL", "SITEHOOKS_TRUSTED_PROXIES", "DATABASE_URL", "SITEHOOKS_SECRET_KEY",
		"SITEHOOKS_ADMIN_EMAIL", "SITEHOOKS_ALLOW_TARGETS", "SITEHOOKS_PROXY", "SITEHOOKS_ROLE", "SITEHOOKS_LOG_FORMAT", "SITEHOOKS_LOG_LEVEL",
		"SITEHOOKS_SMTP_URL", "SITEHOOKS_MAIL_FROM",
	} {
		environ = append(environ, name+"=! !")
	}
	environ = append(environ, "SITEHOOKS_ADMIN_PASSWORD=short", "SITEHOOKS_INGEST_TOKEN=a b", "SITEHOOKS_OIDC_CLIENT_SECRET=x", "SITEHOOKS_OIDC_ISSUER=!")
	_, err := Load(environ)
	var faults Faults
	if !errors.As(err, &faults) {
		t.Fatal(err)
	}
	var order, repaired []string
	for _, f := range faults {
		order = append(order, f.Variable)
		example := strings.Trim(f.Example, "'")
		if example == `"$(openssl rand -base64 32)"` {
			example = keyA
		}
		repaired = append(repaired, f.Variable+"="+strings.Trim(strings.NewReplacer("$(", "", ")", "", " ", "").Replace(example), `"`))
	}
	want := "SITEHOOKS_ADDR SITEHOOKS_BASE_URL SITEHOOKS_TRUSTED_PROXIES DATABASE_URL SITEHOOKS_SECRET_KEY " +
		"SITEHOOKS_ADMIN_PASSWORD SITEHOOKS_ADMIN_EMAIL SITEHOOKS_INGEST_TOKEN SITEHOOKS_ALLOW_TARGETS SITEHOOKS_PROXY SITEHOOKS_ROLE " +
		"SITEHOOKS_OIDC_CLIENT_ID SITEHOOKS_OIDC_ISSUER SITEHOOKS_SMTP_URL SITEHOOKS_MAIL_FROM SITEHOOKS_LOG_FORMAT SITEHOOKS_LOG_LEVEL"
	if got := strings.Join(order, " "); got != want {
		t.Errorf("faults:\n got %s\nwant %s", got, want)
	}
	if n := strings.Count(err.Error(), "\n") + 1; n != len(faults) {
		t.Errorf("%d lines for %d faults", n, len(faults))
	}
	if _, err := Load(append(repaired, "SITEHOOKS_OIDC_CLIENT_SECRET=x")); err != nil {
		t.Errorf("the examples themselves: %v", err)
	}
}

// TestLoadTakesOnlyWhatItIsGiven: os.Environ is the caller's business.
func TestLoadTakesOnlyWhatItIsGiven(t *testing.T) {
	t.Setenv("SITEHOOKS_ROLE", "nonsense")
	if _, err := Load([]string{}); err != nil {
		t.Error(err)
	}
	if _, err := Load(os.Environ()); err == nil {
		t.Error("a wrong role went through")
	}
}

func TestUnknownVariables(t *testing.T) {
	for name, nearest := range map[string]string{
		"SITEHOOKS_BASEURL": "SITEHOOKS_BASE_URL", "SITEHOOKS_TRUSTED_PROXY": "SITEHOOKS_TRUSTED_PROXIES", "SITEHOOKS_DATABASE_URL": "DATABASE_URL",
		"SITEHOOKS_ADMIN_PASS": "SITEHOOKS_ADMIN_PASSWORD", "SITEHOOKS_LOGLEVEL": "SITEHOOKS_LOG_LEVEL", "SITEHOOKS_OIDC_CLIENTID": "SITEHOOKS_OIDC_CLIENT_ID",
		"SITEHOOKS_": "SITEHOOKS_ADDR",
	} {
		_, err := Load([]string{name + "=s3cr3t"})
		if err == nil || err.Error() != name+" is not a known variable; the nearest is "+nearest {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err := Load([]string{
		"SITEHOOKS_BASEURL=", "sitehooks_addr=x", "SITEHOOK_ADDR=x", "SITEHOOKSADDR=x",
		"SITEHOOKS_SERVICE_HOST=10.0.0.1", "SITEHOOKS_SERVICE_PORT=80", "SITEHOOKS_SERVICE_PORT_HTTP=80",
		"SITEHOOKS_PORT=tcp://10.0.0.1:80", "SITEHOOKS_PORT_80_TCP_ADDR=10.0.0.1",
	})
	if err != nil {
		t.Error(err)
	}
	_, err = Load([]string{"SITEHOOKS_ROLE=x", "SITEHOOKS_X=1", "SITEHOOKS_A=1"})
	var faults Faults
	if !errors.As(err, &faults) || len(faults) != 3 || faults[1].Variable != "SITEHOOKS_A" {
		t.Errorf("all faults: %v", err)
	}
}

// TestComposeLeavesNoVariableOut: each variable has a value in compose.yaml or is
// passed on from its environment, but for those that the image decides.
func TestComposeLeavesNoVariableOut(t *testing.T) {
	text, err := os.ReadFile("../compose.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range known() {
		decided := name == "SITEHOOKS_ADDR" || name == "SITEHOOKS_DATA_DIR" || name == "SITEHOOKS_ROLE"
		if passed := strings.Contains(string(text), "\n    "+name+":"); passed == decided {
			t.Errorf("%s: passed on is %v", name, passed)
		}
	}
}
