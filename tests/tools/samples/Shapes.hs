{-# LANGUAGE LambdaCase #-}
module Shapes (Shape (..), area) where

import qualified Data.Map as Map

-- | A closed figure.
data Shape = Round Double | Flat { sides :: Int, name :: String }
  deriving (Show, Eq)

newtype Id = Id Int
type Alias = Shape

class HasArea a where
  areaOf :: a -> Double

instance HasArea Shape where
  areaOf = area

-- | Computes it.
area :: Shape -> Double
area (Round r) = helper r
area (Flat n _) = fromIntegral n

helper :: Double -> Double
helper r = pi * r
  where
    inner x = x
