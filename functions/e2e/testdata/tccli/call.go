package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common"
	tchttp "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common/http"
	"github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common/profile"
)

// versions are those of the services that the runbook calls.
var versions = map[string]string{"ssm": "2019-09-23"}

// call makes one request and prints its answer: SERVICE ACTION --region R --cli-input-json file://PATH.
func call(args []string) error {
	if len(args) < 2 || versions[args[0]] == "" {
		return fmt.Errorf("%q: want a service and an action", args)
	}
	flags := flag.NewFlagSet("tccli", flag.ContinueOnError)
	region := flags.String("region", "", "")
	input := flags.String("cli-input-json", "", "")
	if err := flags.Parse(args[2:]); err != nil {
		return err
	}
	path, isFile := strings.CutPrefix(*input, "file://")
	if !isFile || !filepath.IsAbs(path) {
		return fmt.Errorf("%q: want file:// and a whole path", *input)
	}
	var parameters map[string]any
	if err := read(path, &parameters); err != nil {
		return err
	}
	client, err := connect(args[0], *region)
	if err != nil {
		return err
	}
	request := tchttp.NewCommonRequest(args[0], versions[args[0]], args[1])
	if err := request.SetActionParameters(parameters); err != nil {
		return err
	}
	response := tchttp.NewCommonResponse()
	if err := client.Send(request, response); err != nil {
		return err
	}
	fmt.Println(string(response.GetBody()))
	return nil
}

func connect(service, region string) (*common.Client, error) {
	credential, err := common.DefaultEnvProvider().GetCredential()
	if err != nil {
		return nil, err
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return nil, err
	}
	var configured map[string]struct{ Scheme, Endpoint string }
	if err := read(filepath.Join(home, ".tccli", "default.configure"), &configured); err != nil {
		return nil, err
	}
	p := profile.NewClientProfile()
	p.HttpProfile.Scheme, p.HttpProfile.Endpoint = configured[service].Scheme, configured[service].Endpoint
	return common.NewCommonClient(credential, region, p), nil
}

func read(path string, into any) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, into)
}
