# Nix. From the root of the source: nix build 'path:.?dir=assets/packages', nix run 'path:.?dir=assets/packages'
{
  description = "A streaming service that fits in a terminal: a player and an OpenSubsonic server in one binary";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";

  outputs = { self, nixpkgs }:
    let
      systems = [ "x86_64-linux" "aarch64-linux" "x86_64-darwin" "aarch64-darwin" ];
      each = make: nixpkgs.lib.genAttrs systems (system: make nixpkgs.legacyPackages.${system});
      source = ../..;
      manifest = (nixpkgs.lib.importTOML (source + "/Cargo.toml")).package;
    in
    {
      packages = each (pkgs: {
        default = pkgs.rustPlatform.buildRustPackage {
          pname = manifest.name;
          inherit (manifest) version;
          src = source;
          cargoLock.lockFile = source + "/Cargo.lock";
          buildFeatures = [ "cloud" ];
          nativeBuildInputs = [ pkgs.cmake pkgs.installShellFiles pkgs.pkg-config ];
          buildInputs = pkgs.lib.optionals pkgs.stdenv.hostPlatform.isLinux [ pkgs.alsa-lib ];
          # Most tests want a terminal; they ran before the release.
          doCheck = false;
          postInstall = ''
            $out/bin/segue man > segue.1
            installManPage segue.1
            installShellCompletion --cmd segue \
              --bash <($out/bin/segue completions bash) \
              --zsh <($out/bin/segue completions zsh) \
              --fish <($out/bin/segue completions fish)
            install -Dm644 assets/desktop/segue.desktop -t $out/share/applications
          '';
          meta = {
            inherit (manifest) description;
            license = with pkgs.lib.licenses; [ mit asl20 ];
            mainProgram = "segue";
          };
        };
      });

      devShells = each (pkgs: {
        default = pkgs.mkShell {
          inputsFrom = [ self.packages.${pkgs.stdenv.hostPlatform.system}.default ];
          packages = [ pkgs.clippy pkgs.rustfmt pkgs.ffmpeg ];
        };
      });
    };
}
