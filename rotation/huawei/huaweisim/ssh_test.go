package huaweisim_test

import (
	"net"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/relock-project/relock/rotation/huawei/huaweisim"
)

// login dials a machine where its address and its tag say.
func (w *world) login(t *testing.T, id, user, password string) error {
	t.Helper()
	s := w.listed(t, id)
	var address, port string
	for _, tag := range *s.Tags {
		if value, ok := strings.CutPrefix(tag, huaweisim.PortTag+"="); ok {
			port = value
		}
	}
	for _, network := range s.Addresses {
		address = network[0].Addr
	}
	client, err := ssh.Dial("tcp", net.JoinHostPort(address, port), &ssh.ClientConfig{User: user, Timeout: 5 * time.Second,
		Auth: []ssh.AuthMethod{ssh.Password(password)}, HostKeyCallback: ssh.InsecureIgnoreHostKey()})
	if err != nil {
		return err
	}
	return client.Close()
}

func TestThePasswordInForceOpensAMachine(t *testing.T) {
	t.Parallel()
	w := open(t, huaweisim.Config{SSH: true, Rates: 100})
	id := w.Add(huaweisim.Machine{})
	if m := w.machine(t, id); m.Tags[huaweisim.PortTag] != strconv.Itoa(m.SSHPort) || m.SSHPort == 0 || m.PrivateIP != "127.0.0.1" {
		t.Errorf("%s:%d, tags %v", m.PrivateIP, m.SSHPort, m.Tags)
	}
	want := func(when, user, password string, opens bool) {
		t.Helper()
		if err := w.login(t, id, user, password); (err == nil) != opens {
			t.Errorf("%s: login of %s: %v; want it to open: %v", when, user, err, opens)
		}
	}
	want("at first", "root", huaweisim.BaselinePassword, true)
	want("at first", "root", password, false)
	want("at first", "Administrator", huaweisim.BaselinePassword, false)
	if _, err := w.reset(password, id); err != nil {
		t.Fatal(err)
	}
	want("before the restart", "root", huaweisim.BaselinePassword, true)
	want("before the restart", "root", password, false)
	if _, err := w.reboot(false, id); err != nil {
		t.Fatal(err)
	}
	for w.machine(t, id).Status != "ACTIVE" {
		runtime.Gosched()
	}
	want("after it", "root", password, true)
	want("after it", "root", huaweisim.BaselinePassword, false)
	w.Console(id, "changed by hand")
	want("after a human", "root", "changed by hand", true)
}

func TestOnlyRunningMachinesAnswer(t *testing.T) {
	t.Parallel()
	w := open(t, huaweisim.Config{SSH: true, Scale: 3600})
	for _, m := range []huaweisim.Machine{{Status: "SHUTOFF"}, {Status: "ERROR"}, {TaskState: "migrating"}} {
		err := w.login(t, w.Add(m), "root", huaweisim.BaselinePassword)
		if err == nil || strings.Contains(err.Error(), "unable to authenticate") {
			t.Errorf("%+v: %v; want no answer", m, err)
		}
	}
	id := w.Add(huaweisim.Machine{})
	if _, err := w.reboot(false, id); err != nil {
		t.Fatal(err)
	}
	if err := w.login(t, id, "root", huaweisim.BaselinePassword); err == nil || strings.Contains(err.Error(), "unable to authenticate") {
		t.Errorf("during a reboot: %v; want no answer", err)
	}
}

func TestWindowsMachinesDoNotAnswer(t *testing.T) {
	t.Parallel()
	w := open(t, huaweisim.Config{SSH: true})
	m := w.machine(t, w.Add(huaweisim.Machine{OSType: "Windows"}))
	if _, ok := m.Tags[huaweisim.PortTag]; ok || m.SSHPort != 0 {
		t.Errorf("a Windows machine has SSH port %d, tags %v", m.SSHPort, m.Tags)
	}
}

func TestKeyPairsTurnPasswordLoginOffUntilAReset(t *testing.T) {
	t.Parallel()
	for _, keeps := range []bool{false, true} {
		w := open(t, huaweisim.Config{SSH: true, Rates: 100, Answers: huaweisim.Answers{ResetKeepsPasswordLoginOff: keeps}})
		id := w.Add(huaweisim.Machine{KeyName: "ops", Status: "SHUTOFF", Pending: password})
		if _, err := w.start(id); err != nil {
			t.Fatal(err)
		}
		for w.machine(t, id).Status != "ACTIVE" {
			runtime.Gosched()
		}
		if err := w.login(t, id, "root", password); (err != nil) != keeps {
			t.Errorf("after a reset (login stays off: %v): %v", keeps, err)
		}
		bound := w.Add(huaweisim.Machine{KeyName: "ops"})
		if err := w.login(t, bound, "root", huaweisim.BaselinePassword); err == nil {
			t.Error("a machine with a key pair takes its password")
		}
	}
}
