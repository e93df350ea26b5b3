# The image of the tools with credential helpers for ECR, for Artifact Registry and GCR, and for ACR. Delete those that you
# do not need. `oci-build` is the image that a release brings:
#
#   BUILD_CONTEXTS=oci-build=oci-build-VERSION-image-amd64.tar DOCKERFILE=credential-helpers.Dockerfile build
#
# DOCKER_CONFIG then names a directory with a config.json, which says who is asked for which registry:
#
#   {"credHelpers": {"123456789012.dkr.ecr.eu-west-1.amazonaws.com": "ecr-login",
#                    "europe-docker.pkg.dev": "gcr",
#                    "example.azurecr.io": "acr-env"}}
#
# Each helper takes what it needs from the environment of the task:
#   ecr-login  AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, or the role of the machine
#   gcr        GOOGLE_APPLICATION_CREDENTIALS, the path of a key of a service account, or the account of the machine
#   acr-env    AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_CLIENT_SECRET
FROM golang:1.26 AS helpers
ENV CGO_ENABLED=0 GOBIN=/helpers GOFLAGS=-trimpath
RUN go install github.com/awslabs/amazon-ecr-credential-helper/ecr-login/cli/docker-credential-ecr-login@v0.12.0
RUN go install github.com/GoogleCloudPlatform/docker-credential-gcr/v2@v2.2.1
RUN go install github.com/chrismellard/docker-credential-acr-env@v0.0.0-20230304212654-82a0ddb27589

FROM oci-build
COPY --from=helpers /helpers/ /usr/bin/
