package tencent_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/relock-project/relock/rotation"
	"github.com/relock-project/relock/rotation/tencent"
)

func TestConfigurationFaultsAreAllNamedAtOnce(t *testing.T) {
	t.Parallel()
	_, err := tencent.NewFleet(tencent.Config{
		Site: "mars", Endpoint: "ftp://x", Username: strings.Repeat("ü", 65), Rules: "tencent-1999",
	}, "Guangzhou")
	if !errors.Is(err, rotation.ErrConfig) {
		t.Fatalf("NewFleet = %v; want an error matching ErrConfig", err)
	}
	for _, want := range []string{
		"no Tencent Cloud credentials", `"mars"`, `"ftp://x"`, `"tencent-1999"`, `"Guangzhou"`,
		"user name of 65 characters: Tencent Cloud takes at most 64",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("NewFleet = %v; want %s in it", err, want)
		}
	}
	keyless := tencent.Config{Credentials: tencent.Static("id", "", "")}
	for what, err := range map[string]error{
		"shelf without a key": second(tencent.NewShelf(keyless, region)),
		"store without a key": second(tencent.NewStore(keyless, region)),
	} {
		if !errors.Is(err, rotation.ErrConfig) {
			t.Errorf("%s: %v; want an error matching ErrConfig", what, err)
		}
	}
}

func second[T any](_ T, err error) error { return err }

func TestAUserNameOfSixtyFourCharactersIsTaken(t *testing.T) {
	t.Parallel()
	cfg := tencent.Config{Credentials: tencent.Static("id", "key", ""), Username: strings.Repeat("ü", 64)}
	if _, err := tencent.NewFleet(cfg, region); err != nil {
		t.Error(err)
	}
}

func TestRequestsGoToTheHostsOfSiteAndRegion(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ site, endpoint, region, want string }{
		{"", "", "ap-guangzhou", "https://cvm.tencentcloudapi.com https://tag.tencentcloudapi.com https://ssm.tencentcloudapi.com"},
		{"cn", "", "ap-tomorrow", "https://cvm.tencentcloudapi.com https://tag.tencentcloudapi.com https://ssm.tencentcloudapi.com"},
		{"intl", "", "ap-singapore", "https://cvm.intl.tencentcloudapi.com https://tag.intl.tencentcloudapi.com https://ssm.intl.tencentcloudapi.com"},
		{"cn", "", "ap-shanghai-fsi", "https://cvm.ap-shanghai-fsi.tencentcloudapi.com https://tag.ap-shanghai-fsi.tencentcloudapi.com https://ssm.ap-shanghai-fsi.tencentcloudapi.com"},
		{"intl", "", "ap-shenzhen-fsi", "https://cvm.ap-shenzhen-fsi.tencentcloudapi.com https://tag.ap-shenzhen-fsi.tencentcloudapi.com https://ssm.ap-shenzhen-fsi.tencentcloudapi.com"},
		{"intl", "http://127.0.0.1:1234", "ap-guangzhou", "http://127.0.0.1:1234 http://127.0.0.1:1234 http://127.0.0.1:1234"},
		{"", "127.0.0.1:1234", "ap-guangzhou", "http://127.0.0.1:1234 http://127.0.0.1:1234 http://127.0.0.1:1234"},
		{"", "localhost:1234/", "ap-guangzhou", "http://localhost:1234 http://localhost:1234 http://localhost:1234"},
		{"", "[::1]:1234", "ap-guangzhou", "http://[::1]:1234 http://[::1]:1234 http://[::1]:1234"},
		{"", "api.example", "ap-guangzhou", "https://api.example https://api.example https://api.example"},
		{"", "https://127.0.0.1:1234", "ap-guangzhou", "https://127.0.0.1:1234 https://127.0.0.1:1234 https://127.0.0.1:1234"},
	} {
		var hosts []string
		cfg := tencent.Config{
			Credentials: tencent.Static("id", "key", ""), Site: c.site, Endpoint: c.endpoint,
			Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
				hosts = append(hosts, r.URL.Scheme+"://"+r.URL.Host)
				return nil, errors.New("seen")
			}),
		}
		fleet, err := tencent.NewFleet(cfg, c.region)
		if err != nil {
			t.Errorf("%+v: %v", c, err)
			continue
		}
		shelf, err := tencent.NewShelf(cfg, c.region)
		if err != nil {
			t.Errorf("%+v: %v", c, err)
			continue
		}
		_, _ = fleet.Start(t.Context(), machines("ins-00000001"))
		_ = fleet.Mark(t.Context(), machines("ins-00000001"), rotation.Mark{Secret: "0123456789ab"})
		_, _ = shelf.List(t.Context(), "s")
		if got := strings.Join(hosts, " "); got != c.want {
			t.Errorf("%+v: requests went to %s", c, got)
		}
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestEndpointsThatAreMoreThanAHostAreRefused(t *testing.T) {
	t.Parallel()
	for _, endpoint := range []string{
		"http://", "http://user:secret-word@h", "http://h/path", "h?x=1", "h#f", "ftp://h", "http://[::1", "://", "http://:80",
	} {
		cfg := tencent.Config{Credentials: tencent.Static("id", "key", ""), Endpoint: endpoint}
		_, err := tencent.NewFleet(cfg, region)
		if !errors.Is(err, rotation.ErrConfig) {
			t.Errorf("endpoint %q: %v; want an error matching ErrConfig", endpoint, err)
		} else if strings.Contains(err.Error(), "secret-word") {
			t.Errorf("endpoint %q: the error quotes its password: %v", endpoint, err)
		}
	}
}

func TestTheDocumentedRegionsAreKnown(t *testing.T) {
	t.Parallel()
	documented := strings.Fields(`ap-bangkok ap-beijing ap-chengdu ap-chongqing ap-guangzhou ap-hongkong ap-jakarta
		ap-nanjing ap-seoul ap-shanghai ap-shanghai-fsi ap-shenzhen-fsi ap-singapore ap-tokyo eu-frankfurt na-ashburn
		na-siliconvalley sa-saopaulo`)
	for _, r := range documented {
		if !tencent.KnownRegion(r) {
			t.Errorf("KnownRegion(%q) = false", r)
		}
	}
	for _, r := range []string{"", "ap-guangzhuo", "eu-moscow", "AP-GUANGZHOU"} {
		if tencent.KnownRegion(r) {
			t.Errorf("KnownRegion(%q) = true", r)
		}
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	t.Parallel()
	for _, status := range []int{301, 302, 303, 307, 308} {
		requests := 0
		fleet, _ := stubbed(t, func(string, string) (int, string) { requests++; return status, "moved" })
		_, err := fleet.Reset(t.Context(), machines("ins-00000001"), credential(canary))
		if err == nil || requests != 1 {
			t.Errorf("status %d: %d requests, %v; want 1 and an error", status, requests, err)
		}
		wantAmbiguous(t, err)
	}
}
